using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RouteOp
{
    /// <summary>The definition: a sort of all experts.</summary>
    internal static void Reference(Matrix logits, NativeBuffer? bias, Routing routing, ExpertPlan plan)
    {
        var n = logits.Columns;
        var size = n / routing.Groups;
        for (var t = 0; t < logits.Rows; t++)
        {
            var z = logits.Row(t).ToArray();
            var max = z.Max();
            var s = Array.ConvertAll(z,
                value => (float)(routing.Score == RouterScore.Sigmoid ? 1 / (1 + Math.Exp(-(double)value)) : Math.Exp((double)value - max)));
            var total = routing.Score == RouterScore.Sigmoid ? 1 : s.Sum(value => (double)value);
            var choice = Enumerable.Range(0, n)
                .Select(e => bias is not null ? s[e] + bias.Span<float>(e, 1)[0] : routing.Score == RouterScore.Softmax ? z[e] : s[e]).ToArray();
            var groups = Enumerable.Range(0, routing.Groups)
                .OrderByDescending(g => choice.Skip(g * size).Take(size).OrderDescending().Take(2).Sum())
                .ThenBy(g => g)
                .Take(routing.GroupsPerToken)
                .ToArray();
            var chosen = Enumerable.Range(0, n)
                .Where(e => groups.Contains(e / size))
                .OrderByDescending(e => choice[e])
                .ThenBy(e => e)
                .Take(routing.PerToken)
                .Order()
                .ToArray();
            if (routing.Normalize) total = chosen.Sum(e => (double)s[e]);
            for (var j = 0; j < routing.PerToken; j++)
            {
                plan.Ids[(t * routing.PerToken) + j] = chosen[j];
                plan.Gates[(t * routing.PerToken) + j] = (float)(s[chosen[j]] / total * routing.Scale);
            }
        }
    }
}
