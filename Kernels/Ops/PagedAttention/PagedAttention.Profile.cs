using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>
    /// Tells a profile what attention must do at least: each query's products with the keys and the values that it sees, and every cached token of a
    /// sequence read once.
    /// </summary>
    private static void CountCost(OpStream ops, int heads, KvLayer kv, Ints positions, Ints tableStarts, int window)
    {
        if (ops.Profile is not { } profile) return;
        var (products, cached) = (0L, 0L);
        var at = positions.Host;
        var starts = tableStarts.Host;
        for (var t = 0; t < at.Length; t++)
        {
            products += 2L * heads * kv.HeadDim * Math.Min(at[t] + 1L, window);
            // The tokens of a sequence stand together: the last sees all that the others see, but for what left their windows.
            if (t + 1 == at.Length || starts[t + 1] != starts[t])
            {
                var first = t;
                while (first > 0 && starts[first - 1] == starts[t]) first--;
                cached += at[t] + 1L - FirstSeen(at[first], window);
            }
        }
        profile.Must(2.0 * cached * kv.KvHeads * kv.HeadDim * KvLayer.BytesOf(kv.Type), 2.0 * products);
    }
}
