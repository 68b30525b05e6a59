using System.Runtime.CompilerServices;

namespace Quilt.Formats.Numerics;

/// <summary>
/// float8 E4M3 in its finite variant (`F8_E4M3` in files, torch's float8_e4m3fn): sign, 4 bits of exponent with bias 7, 3 of mantissa.
/// No infinities; 0x7F and 0xFF are NaN; the largest finite value is 448, the smallest subnormal 2⁻⁹.
/// </summary>
public static class Float8E4M3
{
    /// <summary>The largest finite magnitude, byte 0x7E.</summary>
    public const float MaxValue = 448f;

    private static readonly float[] Decoded = BuildTable();

    /// <summary>The value of every byte, 256 entries; entries 0x7F and 0xFF are NaN.</summary>
    public static ReadOnlySpan<float> Table => Decoded;

    /// <summary>Exact: every byte's value is a float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Decode(byte value) => Decoded[value];

    /// <summary>Whether the byte is one of the two NaNs. A NaN in a weight means a corrupt file.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNaN(byte value) => (value & 0x7F) == 0x7F;

    /// <summary>Where the first NaN is; −1 if there is none.</summary>
    public static int IndexOfNaN(ReadOnlySpan<byte> codes) => codes.IndexOfAny((byte)0x7F, (byte)0xFF);

    /// <summary>The nearest byte, ties to even, after clamping to ±448 (infinities too); NaN keeps its sign: 0x7F or 0xFF.</summary>
    public static byte Encode(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        var sign = (byte)((bits >> 24) & 0x80);
        var magnitude = bits & 0x7FFF_FFFF;
        if (magnitude > 0x7F80_0000) return (byte)(sign | 0x7F);
        if (magnitude >= 0x43E0_0000) return (byte)(sign | 0x7E);        // 448 and above
        if (magnitude < 0x3C80_0000)                                     // below 2⁻⁶: the grid is a multiple of 2⁻⁹
        {
            // Adding 2¹⁴ puts 2⁻⁹ at the last place of the sum, so float's own rounding to even does the work.
            var shifted = BitConverter.UInt32BitsToSingle(magnitude) + 16384f;
            return (byte)(sign | (BitConverter.SingleToUInt32Bits(shifted) - 0x4680_0000));
        }
        var rounded = magnitude + 0x7_FFFF + ((magnitude >> 20) & 1);    // to 3 bits of mantissa; may carry into the exponent
        return (byte)(sign | ((rounded >> 20) - ((127 - 7) << 3)));
    }

    private static float[] BuildTable()
    {
        var table = new float[256];
        for (var b = 0; b < 256; b++)
        {
            var exponent = (b >> 3) & 15;
            var mantissa = b & 7;
            var magnitude = (b & 0x7F) == 0x7F ? float.NaN
                : exponent == 0 ? mantissa / 512f
                : (1 + mantissa / 8f) * MathF.ScaleB(1, exponent - 7);
            table[b] = b < 128 ? magnitude : -magnitude;
        }
        return table;
    }
}
