using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class TopKOp
{
    /// <summary>The definition: a sort of the whole row.</summary>
    internal static void Reference(Matrix logits, int k, ReadOnlySpan<int> scales, Matrix into)
    {
        for (var row = 0; row < logits.Rows; row++)
        {
            var x = logits.Row(row).ToArray();
            var order = Enumerable.Range(0, x.Length).OrderByDescending(id => Key(BitConverter.SingleToUInt32Bits(x[id]))).ThenBy(id => id).ToArray();
            var largest = x[order[0]];
            var scale = BitConverter.Int32BitsToSingle(scales[row]);
            var y = into.Row(row);
            for (var i = 0; i < k; i++) (y[i], y[k + i]) = (x[order[i]], order[i]);
            y[2 * k] = float.IsFinite(largest) ? (float)x.Sum(value => Math.Exp((double)value - largest)) : 0;
            y[(2 * k) + 1] = float.IsFinite(largest) && scale != 0 ? (float)x.Sum(value => Math.Exp(((double)value - largest) * scale)) : 0;
        }
    }
}
