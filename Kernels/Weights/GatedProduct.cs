using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

/// <summary>The first half of an expert: silu(gate · x) ⊙ (up · x).</summary>
internal static class GatedProduct
{
    /// <summary>
    /// x is [tokens, columns], <paramref name="into"/> [pairs, rows] in the plan's order. In one launch where a GPU has a kernel for that; otherwise two products and
    /// <see cref="SiluMulOp"/>.
    /// </summary>
    public static void MatMulGated(this OpStream ops, Weight gate, Weight up, Matrix x, ExpertPlan plan, Matrix into)
    {
        if (gate is GpuWeight on && on.TryMatMulGated(ops, up, x, plan, into)) return;
        var mark = ops.Mark();
        var ups = ops.Scratch(into.Rows, into.Columns);
        gate.MatMulExperts(ops, x, plan, ExpertRows.Tokens, into);
        up.MatMulExperts(ops, x, plan, ExpertRows.Tokens, ups);
        ops.SiluMul(into, ups, into);
        ops.Release(mark);
    }
}
