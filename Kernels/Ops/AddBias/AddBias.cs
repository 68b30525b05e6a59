using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>y[t, c] += bias[c];  with a plan y[p, c] += bias[expert of p, c].</summary>
internal static partial class AddBiasOp
{
    /// <summary>
    /// <paramref name="into"/> is [tokens, columns], or with a plan [pairs, columns] in its order; <paramref name="bias"/> float32 [columns], or
    /// [experts, columns].
    /// </summary>
    public static void AddBias(this OpStream ops, NativeBuffer bias, Matrix into, ExpertPlan? plan = null)
    {
        Debug.Assert(bias.Bytes >= (plan?.Experts ?? 1L) * into.Columns * sizeof(float), "bias: shorter than a row");
        Debug.Assert(plan is null || plan.Pairs == into.Rows, "bias: one row a pair");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, bias, into, plan);
            return;
        }
        using var watch = ops.Watch(StepPart.Add);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, bias, into, plan); break;
            case Isa.Avx2 or Isa.AvxVnni: Run<Vector16x2>(ops, bias, into, plan); break;
            case Isa.Neon: Run<Vector16x4>(ops, bias, into, plan); break;
            default: Reference(bias, into, plan); break;
        }
    }

    private static unsafe void Run<T>(OpStream ops, NativeBuffer bias, Matrix into, ExpertPlan? plan) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>((float*)bias.Data, into, plan);
        ops.Deal(job.Items, (long)into.Rows * into.Columns, ref job);
    }

    private readonly unsafe struct Job<T>(float* bias, Matrix into, ExpertPlan? plan) : IJob where T : unmanaged, IVector16<T>
    {
        private readonly int step = Dealing.RowsAnItem(into.Columns);

        public int Items => (into.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var n = into.Columns;
            var end = Math.Min(into.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++)
            {
                var from = plan is null ? bias : bias + ((long)plan.PairExpert[row] * n);
                var to = into.RowData(row);
                Elementwise<AddOp>.Row<T>(to, from, to, n);
            }
        }
    }
}
