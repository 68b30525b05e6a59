using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>y[t] = Σ over j ascending of gate[t, j] · pairs[pair of (t, j)].</summary>
internal static partial class CombineOp
{
    /// <summary><paramref name="pairs"/> is [pairs, model] in the plan's order, <paramref name="into"/> [tokens, model].</summary>
    public static void Combine(this OpStream ops, Matrix pairs, ExpertPlan plan, Matrix into)
    {
        Debug.Assert(pairs.Rows == plan.Pairs && into.Rows == plan.Tokens && pairs.Columns == into.Columns, "combine: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, pairs, plan, into);
            return;
        }
        using var watch = ops.Watch(StepPart.Combine);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, pairs, plan, into); break;
            case Isa.Avx2 or Isa.AvxVnni: Run<Vector16x2>(ops, pairs, plan, into); break;
            case Isa.Neon: Run<Vector16x4>(ops, pairs, plan, into); break;
            default: Reference(pairs, plan, into); break;
        }
    }

    private static void Run<T>(OpStream ops, Matrix pairs, ExpertPlan plan, Matrix into) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(pairs, plan, into);
        ops.Deal(into.Rows, (long)pairs.Rows * pairs.Columns, ref job);
    }

    private readonly unsafe struct Job<T>(Matrix pairs, ExpertPlan plan, Matrix into) : IJob where T : unmanaged, IVector16<T>
    {
        public void Execute(int token)
        {
            var first = token * plan.PerToken;
            var gates = plan.Gates.AsSpan(first, plan.PerToken);
            var chosen = plan.PairOf.AsSpan(first, plan.PerToken);
            var to = into.RowData(token);
            var c = 0;
            for (; c + 16 <= into.Columns; c += 16)
            {
                var sum = T.Broadcast(0);
                for (var j = 0; j < gates.Length; j++) sum = T.Fma(T.Broadcast(gates[j]), T.Load(pairs.RowData(chosen[j]) + c), sum);
                T.Store(sum, to + c);
            }
            for (; c < into.Columns; c++)
            {
                var sum = 0f;
                for (var j = 0; j < gates.Length; j++) sum = MathF.FusedMultiplyAdd(gates[j], pairs.RowData(chosen[j])[c], sum);
                to[c] = sum;
            }
        }
    }
}
