using System.Numerics;
using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>Refuses weights with a value that could not have been meant: NaN or infinity.</summary>
internal static class FiniteValues
{
    /// <summary>Looks at values of a matrix as they were read, from byte <paramref name="start"/> of it.</summary>
    /// <exception cref="BadInputException">One is NaN or infinite.</exception>
    public static void Check(TensorEntry weight, ReadOnlySpan<byte> values, long start, int columns)
    {
        var bad = weight.Type switch
        {
            DType.F8E4M3 => Float8E4M3.IndexOfNaN(values),
            DType.F32 => FirstAllOnes(MemoryMarshal.Cast<byte, uint>(values), 0x7F80_0000u),
            DType.BF16 => FirstAllOnes(MemoryMarshal.Cast<byte, ushort>(values), (ushort)0x7F80),
            _ => FirstAllOnes(MemoryMarshal.Cast<byte, ushort>(values), (ushort)0x7C00),
        };
        if (bad < 0) return;
        var size = weight.Type.BitSize() / 8;
        var at = (start / size) + bad;
        throw ModuleTensors.Bad(weight,
            $"expected finite values, found NaN or infinity (0x{Convert.ToHexString(values.Slice(bad * size, size))}) at " +
            $"[{at / columns}, {at % columns}]");
    }

    // A float is no finite number exactly where all bits of its exponent are set.
    private static int FirstAllOnes<T>(ReadOnlySpan<T> values, T exponent) where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        var i = 0;
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(values[i..]) & mask, mask)) break;
        }
        for (; i < values.Length; i++)
        {
            if ((values[i] & exponent) == exponent) return i;
        }
        return -1;
    }
}
