using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// s = sigmoid(logits); the perToken experts with the largest s + bias are chosen (of equals the lower id); gate = s / Σ s of the chosen, without the bias.
/// All of it in float32, the sum in double: experts change with the last bits of the score.
/// </summary>
internal static partial class RouteOp
{
    /// <summary>
    /// <paramref name="logits"/> is [tokens, experts], <paramref name="bias"/> float32 [experts] or null. Fills <paramref name="plan"/> (ids ascending for each
    /// token) and sorts it by expert.
    /// </summary>
    public static unsafe void Route(this OpStream ops, Matrix logits, NativeBuffer? bias, int perToken, ExpertPlan plan)
    {
        Debug.Assert(perToken > 0 && perToken <= logits.Columns, "route: more experts to choose than there are");
        Debug.Assert(bias is null || bias.Bytes >= (long)logits.Columns * sizeof(float), "route: the bias is shorter than a row");
        plan.Prepare(logits.Rows, perToken, logits.Columns);
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, logits, bias, perToken, plan);
            return;
        }
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(logits, bias, perToken, plan);
        }
        else
        {
            var mark = ops.Mark();
            var job = new Job(logits, bias is null ? null : (float*)bias.Data, ops.Scratch(logits.Rows, logits.Columns), perToken, plan);
            ops.Deal(logits.Rows, 32L * logits.Rows * logits.Columns, ref job);
            ops.Release(mark);
        }
        plan.Sort();
    }

    private readonly unsafe struct Job(Matrix logits, float* bias, Matrix scores, int perToken, ExpertPlan plan) : IJob
    {
        public void Execute(int token)
        {
            var z = logits.RowData(token);
            var s = scores.RowData(token);
            var ids = plan.Ids.AsSpan(token * perToken, perToken);
            var gates = plan.Gates.AsSpan(token * perToken, perToken);

            // The best so far, best first; gates holds their choice values until the choice is made.
            var count = 0;
            for (var e = 0; e < logits.Columns; e++)
            {
                s[e] = VectorMath.Sigmoid(z[e]);
                var choice = bias is null ? s[e] : s[e] + bias[e];
                if (float.IsNaN(choice)) choice = float.NegativeInfinity;
                if (count == perToken && choice <= gates[^1]) continue;

                var place = count < perToken ? count++ : perToken - 1;
                for (; place > 0 && gates[place - 1] < choice; place--) (ids[place], gates[place]) = (ids[place - 1], gates[place - 1]);
                (ids[place], gates[place]) = (e, choice);
            }

            ids.Sort();
            var sum = 0.0;
            foreach (var id in ids) sum += s[id];
            for (var j = 0; j < perToken; j++) gates[j] = (float)(s[ids[j]] / sum);
        }
    }
}
