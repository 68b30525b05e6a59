using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Stitching;

/// <summary>A tensor of one checkpoint as it will lie in another: byte for byte, a piece at a time.</summary>
internal static class TensorCopy
{
    private const int PieceBytes = 1 << 20;

    /// <summary>The tensor, under another name where one is given.</summary>
    public static TensorToWrite Of(Checkpoint source, TensorEntry tensor, string? name = null) =>
        new(name ?? tensor.Name, tensor.Type, tensor.Shape, stream =>
        {
            var piece = new byte[Math.Min(PieceBytes, tensor.Length)];
            for (long at = 0; at < tensor.Length; at += piece.Length)
            {
                var part = piece.AsSpan(0, (int)Math.Min(piece.Length, tensor.Length - at));
                source.Read(tensor, part, at);
                stream.Write(part);
            }
        });
}
