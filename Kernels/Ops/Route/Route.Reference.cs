using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RouteOp
{
    /// <summary>The definition: a sort of all experts.</summary>
    internal static void Reference(Matrix logits, NativeBuffer? bias, int perToken, ExpertPlan plan)
    {
        var s = new float[logits.Columns];
        for (var t = 0; t < logits.Rows; t++)
        {
            for (var e = 0; e < s.Length; e++) s[e] = (float)(1 / (1 + Math.Exp(-(double)logits.Row(t)[e])));
            var chosen = Enumerable.Range(0, s.Length)
                .OrderByDescending(e => bias is null ? s[e] : s[e] + bias.Span<float>(e, 1)[0])
                .ThenBy(e => e)
                .Take(perToken)
                .Order()
                .ToArray();
            var sum = chosen.Sum(e => (double)s[e]);
            for (var j = 0; j < perToken; j++)
            {
                plan.Ids[(t * perToken) + j] = chosen[j];
                plan.Gates[(t * perToken) + j] = (float)(s[chosen[j]] / sum);
            }
        }
    }
}
