using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>Scales as files hold them. Whatever they belong to, each is finite and more than 0 (docs/checkpoints.md, "Scales").</summary>
internal static class ScaleValues
{
    /// <summary>Refuses a tensor of scales that is of no type for them.</summary>
    public static void CheckType(TensorEntry scale)
    {
        if (scale.Type is not (DType.F32 or DType.BF16 or DType.F16))
            throw ModuleTensors.Bad(scale, $"expected F32, BF16 or F16, found {scale.Type.FileName()}");
    }

    /// <summary>Reads a whole tensor of scales.</summary>
    /// <param name="scale">The tensor.</param>
    /// <param name="table">What reads it.</param>
    /// <param name="into">As many as it has.</param>
    /// <exception cref="BadInputException">One is not finite and more than 0.</exception>
    public static void Read(TensorEntry scale, TensorTable table, Span<float> into)
    {
        var rented = ArrayPool<byte>.Shared.Rent(checked((int)scale.Length));
        try
        {
            var bytes = rented.AsSpan(0, (int)scale.Length);
            table.Read(scale, bytes);
            TensorValues.ToFloats(scale.Type, bytes, into);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
        var bad = FirstBad(MemoryMarshal.Cast<float, uint>(into));
        if (bad >= 0)
            throw ModuleTensors.Bad(scale, FormattableString.Invariant($"expected finite scales of more than 0, found {into[bad]} at index {bad}"));
    }

    // The bits of a finite float of more than 0 are 1 .. 0x7F7FFFFF; one less, as an unsigned number, is larger than any of these for all others.
    private static int FirstBad(ReadOnlySpan<uint> bits)
    {
        const uint Largest = 0x7F7F_FFFE;
        var most = new Vector<uint>(Largest);
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (Vector.GreaterThanAny(new Vector<uint>(bits[i..]) - Vector<uint>.One, most)) break;
        }
        for (; i < bits.Length; i++)
        {
            if (bits[i] - 1 > Largest) return i;
        }
        return -1;
    }
}
