using System.Buffers;
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
        for (var i = 0; i < into.Length; i++)
        {
            if (!(into[i] > 0 && float.IsFinite(into[i])))
                throw ModuleTensors.Bad(scale, FormattableString.Invariant($"expected finite scales of more than 0, found {into[i]} at index {i}"));
        }
    }
}
