using System.Buffers;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary>Tensors of the source that are written as they are, or in another type.</summary>
internal static class CopiedTensor
{
    private const int PieceBytes = 1 << 22;

    /// <summary>A tensor under a name, its bytes read when it is written.</summary>
    public static TensorToWrite As(string name, Checkpoint source, TensorEntry tensor) => new(name, tensor.Type, tensor.Shape, to =>
    {
        // What is cut out of a larger tensor can only be read by rows, and is small: one expert's.
        var size = (int)Math.Min(tensor.Strides is null ? PieceBytes : Array.MaxLength, tensor.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            for (var at = 0L; at < tensor.Length; at += size)
            {
                var piece = buffer.AsSpan(0, (int)Math.Min(size, tensor.Length - at));
                source.Read(tensor, piece, at);
                to.Write(piece);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    });

    /// <summary>A small tensor of numbers in another type.</summary>
    public static TensorToWrite As(string name, Checkpoint source, TensorEntry tensor, DType type) => tensor.Type == type
        ? As(name, source, tensor)
        : new(name, type, tensor.Shape, to =>
        {
            var bytes = new byte[tensor.Length];
            source.Read(tensor, bytes);
            var values = new float[tensor.Elements];
            TensorValues.ToFloats(tensor.Type, bytes, values);
            to.Write(FloatBytes.Encode(type, values));
        });
}
