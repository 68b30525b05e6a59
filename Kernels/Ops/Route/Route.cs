using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// s = sigmoid(logits), or the softmax of a token's logits; the perToken experts with the largest s + bias are chosen (of equals the lower id);
/// gate = scale · s, or scale · s / Σ s of the chosen, without the bias. <see cref="Routing"/> says which.
/// All of it in float32, sums in double: experts change with the last bits of the score.
/// </summary>
internal static partial class RouteOp
{
    /// <summary>
    /// <paramref name="logits"/> is [tokens, experts], <paramref name="bias"/> float32 [experts] or null. Fills <paramref name="plan"/> (ids
    /// ascending for each token) and sorts it by expert.
    /// </summary>
    public static unsafe void Route(this OpStream ops, Matrix logits, NativeBuffer? bias, Routing routing, ExpertPlan plan)
    {
        var experts = logits.Columns;
        Debug.Assert(experts % routing.Groups == 0 && routing.GroupsPerToken <= routing.Groups, "route: experts do not fall into such groups");
        Debug.Assert(routing.PerToken > 0
            && routing.PerToken <= experts / routing.Groups * routing.GroupsPerToken, "route: more experts to choose than there are");
        Debug.Assert(bias is null || bias.Bytes >= (long)experts * sizeof(float), "route: the bias is shorter than a row");
        plan.Prepare(logits.Rows, routing.PerToken, experts);
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, logits, bias, routing, plan);
            return;
        }
        using var watch = ops.Watch(StepPart.Route);
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(logits, bias, routing, plan);
        }
        else
        {
            var mark = ops.Mark();
            var job = new Job(logits, bias is null
                ? null
                : (float*)bias.Data, ops.Scratch(logits.Rows, experts), ops.Scratch(logits.Rows, experts), routing, plan);
            ops.Deal(logits.Rows, 32L * logits.Rows * experts, ref job);
            ops.Release(mark);
        }
        plan.Sort();
    }

    private readonly unsafe struct Job(Matrix logits, float* bias, Matrix scores, Matrix choices, Routing routing, ExpertPlan plan) : IJob
    {
        public void Execute(int token)
        {
            var n = logits.Columns;
            var z = logits.Row(token);
            var s = scores.Row(token);
            var choice = choices.Row(token);
            var total = Score(z, s);
            for (var e = 0; e < n; e++)
            {
                choice[e] = bias is null ? (routing.Score == RouterScore.Softmax ? z[e] : s[e]) : s[e] + bias[e];
                if (float.IsNaN(choice[e])) choice[e] = float.NegativeInfinity;
            }
            if (routing.GroupsPerToken < routing.Groups) KeepGroups(choice);

            // The best so far, best first; gates holds their choice values until the choice is made.
            var ids = plan.Ids.AsSpan(token * routing.PerToken, routing.PerToken);
            var gates = plan.Gates.AsSpan(token * routing.PerToken, routing.PerToken);
            Best(choice, ids, gates);

            ids.Sort();
            if (routing.Normalize)
            {
                total = 0;
                foreach (var id in ids) total += s[id];
            }
            for (var j = 0; j < ids.Length; j++) gates[j] = (float)(s[ids[j]] / total * routing.Scale);
        }

        /// <summary>Fills in the scores, up to a common divisor that is returned.</summary>
        private double Score(ReadOnlySpan<float> z, Span<float> s)
        {
            if (routing.Score == RouterScore.Sigmoid)
            {
                for (var e = 0; e < s.Length; e++) s[e] = VectorMath.Sigmoid(z[e]);
                return 1;
            }
            var max = float.NegativeInfinity;
            foreach (var value in z) max = value > max ? value : max;
            var total = 0.0;
            for (var e = 0; e < s.Length; e++) total += s[e] = (float)VectorMath.Exp((double)z[e] - max);
            return total;
        }

        /// <summary>The largest values, largest first, of equals the lower id.</summary>
        private static void Best(ReadOnlySpan<float> values, Span<int> ids, Span<float> best)
        {
            var count = 0;
            for (var e = 0; e < values.Length; e++)
            {
                var value = values[e];
                if (count == best.Length && value <= best[^1]) continue;

                var place = count < best.Length ? count++ : best.Length - 1;
                for (; place > 0 && best[place - 1] < value; place--) (ids[place], best[place]) = (ids[place - 1], best[place - 1]);
                (ids[place], best[place]) = (e, value);
            }
        }

        /// <summary>Takes the experts of all but the best groups out of the choice; a group is as good as its two best experts together.</summary>
        private void KeepGroups(Span<float> choice)
        {
            var size = choice.Length / routing.Groups;
            Span<float> sums = stackalloc float[routing.Groups];
            Span<int> kept = stackalloc int[routing.GroupsPerToken];
            Span<float> best = stackalloc float[routing.GroupsPerToken];
            Span<int> ids = stackalloc int[2];
            Span<float> two = stackalloc float[2];
            for (var g = 0; g < sums.Length; g++)
            {
                var pair = two[..Math.Min(2, size)];
                Best(choice.Slice(g * size, size), ids[..pair.Length], pair);
                sums[g] = pair.Length == 2 ? pair[0] + pair[1] : pair[0];
            }
            Best(sums, kept, best);
            for (var g = 0; g < sums.Length; g++)
            {
                if (!kept.Contains(g)) choice.Slice(g * size, size).Fill(float.NegativeInfinity);
            }
        }
    }
}
