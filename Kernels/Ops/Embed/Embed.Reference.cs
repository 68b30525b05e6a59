using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

internal static partial class EmbedOp
{
    /// <summary>The definition.</summary>
    internal static void Reference(ReadOnlySpan<int> tokens, Weight embedding, Matrix into)
    {
        for (var t = 0; t < tokens.Length; t++) embedding.Dequantize(0, tokens[t], into.Row(t));
    }
}
