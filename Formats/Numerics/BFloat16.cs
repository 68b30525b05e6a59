using System.Runtime.CompilerServices;

namespace Quilt.Formats.Numerics;

/// <summary>
/// bfloat16 as stored: the upper 16 bits of a float32. Same shape as .NET 11's System.Numerics.BFloat16, so that it can be swapped.
/// </summary>
/// <param name="bits">Sign, 8 bits of exponent, 7 of mantissa.</param>
public readonly struct BFloat16(ushort bits) : IEquatable<BFloat16>
{
    /// <summary>The bits as stored.</summary>
    public ushort Bits { get; } = bits;

    /// <summary>Exact: every bfloat16 is a float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);

    /// <summary>Rounds to nearest, ties to even; NaN stays NaN (quiet), overflow becomes infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return new BFloat16((ushort)((bits >> 16) | 0x40));
        return new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>The float32 nearest to <paramref name="value"/> that a bfloat16 can hold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float value) => (float)(BFloat16)value;

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => Bits == other.Bits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Bits;

    /// <summary>Bitwise equality.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => left.Equals(right);

    /// <summary>Bitwise inequality.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => ((float)this).ToString();
}
