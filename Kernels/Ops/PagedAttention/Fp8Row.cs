using Quilt.Formats.Numerics;

namespace Quilt.Kernels.Ops;

/// <summary>Scales that a checkpoint brings for a cache in FP8: a code times the scale is the number.</summary>
/// <param name="Key">Of all keys of a layer.</param>
/// <param name="Value">Of all values of a layer.</param>
internal readonly record struct KvScales(float Key, float Value)
{
    /// <summary>What the arithmetic of attention has room for.</summary>
    public const float Least = 1f / Most;

    /// <inheritdoc cref="Least"/>
    public const float Most = 1L << 40;
}

/// <summary>
/// A key or a value of one head in FP8 E4M3: codes, and a byte of scale. The scale is 2^(byte − 127), the least for which the row's largest finite
/// magnitude is at most 448 codes, within 2^±60. Codes are rounded to the nearest, ties to even; what lies beyond ±448, infinities among it, becomes
/// ±448. Where one of a key and its value holds a NaN both have the byte 255, which makes them NaN as a whole: what is broken stays broken. Where a
/// checkpoint's scale is given the numbers are divided by that, and the byte is 127, or 255.
/// </summary>
internal static class Fp8Row
{
    /// <summary>The byte of a row that holds a NaN.</summary>
    public const byte Broken = 255;

    /// <summary>The byte of the scale 1.</summary>
    public const byte One = 127;

    /// <summary>Scales lie between 2^−60 and 2^60: beyond, the products of attention would leave float32.</summary>
    public const int MostExponent = 60;

    /// <summary>The byte for a row whose largest finite magnitude has these bits.</summary>
    public static int ScaleByte(uint magnitude)
    {
        // 448 = 1.75 · 2^8: a mantissa above 0.75 needs one more.
        var exponent = (int)(magnitude >> 23) - 127 - 8 + ((magnitude & 0x7F_FFFF) > 0x60_0000 ? 1 : 0);
        if (exponent < -MostExponent) return One - MostExponent;
        return exponent > MostExponent ? One + MostExponent : One + exponent;
    }

    /// <summary>The scale of a byte; infinite for <see cref="Broken"/>, so that nothing finite comes of it.</summary>
    public static float Scale(int scaleByte) => BitConverter.UInt32BitsToSingle((uint)scaleByte << 23);

    /// <summary>The bytes of a key and its value. A broken key breaks the value too, in which no softmax can hide it.</summary>
    public static (byte Key, byte Value) Together(byte key, byte value) => key == Broken || value == Broken ? (Broken, Broken) : (key, value);

    /// <summary>The definition: the codes of a row, and its byte.</summary>
    /// <param name="row">[headDim].</param>
    /// <param name="given">The checkpoint's scale; 0: none.</param>
    /// <param name="codes">[headDim].</param>
    public static byte Encode(ReadOnlySpan<float> row, float given, Span<byte> codes)
    {
        uint largest = 0;
        var broken = false;
        foreach (var x in row)
        {
            broken |= float.IsNaN(x);
            if (float.IsFinite(x)) largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(Math.Abs(x)));
        }
        var scale = given == 0 ? ScaleByte(largest) : One;
        for (var d = 0; d < row.Length; d++) codes[d] = Float8E4M3.Encode(row[d] / (given == 0 ? Scale(scale) : given));
        return broken ? Broken : (byte)scale;
    }

    /// <summary>The number that a code stands for.</summary>
    /// <param name="code">The code.</param>
    /// <param name="scaleByte">Its row's byte.</param>
    /// <param name="given">The checkpoint's scale; 0: none.</param>
    public static double Decode(byte code, byte scaleByte, float given) =>
        scaleByte == Broken ? double.NaN : (double)Float8E4M3.Decode(code) * Scale(scaleByte) * (given == 0 ? 1 : given);
}
