using System.Numerics;
using System.Runtime.InteropServices;

namespace Quilt.Quantizer.Numerics;

/// <summary>Looks for values that could not have been meant: NaN or infinity.</summary>
internal static class FiniteFloats
{
    private const uint Exponent = 0x7F80_0000;

    /// <summary>Where the first of them is; −1 if there is none.</summary>
    public static int IndexOfBad(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var mask = new Vector<uint>(Exponent);
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (Vector.EqualsAny(new Vector<uint>(bits[i..]) & mask, mask)) break;
        }
        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Exponent) == Exponent) return i;
        }
        return -1;
    }
}
