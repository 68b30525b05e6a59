using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>A weight and, in some families, what is added to its products. Owns neither.</summary>
/// <param name="Weight">[outputs, inputs], or a stack of them.</param>
/// <param name="Bias">float32 [outputs], or [experts, outputs]; null: nothing is added.</param>
internal sealed record Linear(Weight Weight, NativeBuffer? Bias)
{
    /// <summary>y = W · x + bias. x is [tokens, inputs], y [tokens, outputs].</summary>
    public void MatMul(OpStream ops, Matrix x, Matrix y)
    {
        Weight.MatMul(ops, x, y);
        if (Bias is not null) ops.AddBias(Bias, into: y);
    }

    /// <summary>The same for every (token, expert) pair of a plan (<see cref="Kernels.Weights.Weight.MatMulExperts"/>).</summary>
    public void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        Weight.MatMulExperts(ops, x, plan, rows, y);
        if (Bias is not null) ops.AddBias(Bias, into: y, plan);
    }
}
