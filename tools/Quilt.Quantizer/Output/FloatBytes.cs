using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary>Numbers as the bytes of a file.</summary>
internal static class FloatBytes
{
    /// <summary>Values, each rounded to a type.</summary>
    /// <param name="type">BF16, F16 or F32.</param>
    /// <param name="values">The values.</param>
    /// <param name="into">Their bytes, little-endian.</param>
    public static void Encode(DType type, ReadOnlySpan<float> values, Span<byte> into)
    {
        switch (type)
        {
            case DType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(into);
                break;
            case DType.BF16:
                var brains = MemoryMarshal.Cast<byte, ushort>(into);
                for (var i = 0; i < values.Length; i++) brains[i] = ((BFloat16)values[i]).Bits;
                break;
            case DType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(into);
                for (var i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a type of weights");
        }
    }

    /// <summary>The same into an array of their own.</summary>
    public static byte[] Encode(DType type, ReadOnlySpan<float> values)
    {
        var bytes = new byte[checked(values.Length * (type.BitSize() / 8))];
        Encode(type, values, bytes);
        return bytes;
    }
}
