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
        AddBias(ops, y);
    }

    /// <summary>Three products of one input; together where that saves something.</summary>
    public static void MatMul(OpStream ops, Matrix x, (Linear W, Matrix Y) first, (Linear W, Matrix Y) second, (Linear W, Matrix Y) third)
    {
        if (!first.W.Weight.TryMatMulThree(ops, x, first.Y, second.W.Weight, second.Y, third.W.Weight, third.Y))
        {
            first.W.Weight.MatMul(ops, x, first.Y);
            second.W.Weight.MatMul(ops, x, second.Y);
            third.W.Weight.MatMul(ops, x, third.Y);
        }
        first.W.AddBias(ops, first.Y);
        second.W.AddBias(ops, second.Y);
        third.W.AddBias(ops, third.Y);
    }

    /// <summary>The same for every (token, expert) pair of a plan (<see cref="Kernels.Weights.Weight.MatMulExperts"/>).</summary>
    public void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        Weight.MatMulExperts(ops, x, plan, rows, y);
        if (Bias is not null) ops.AddBias(Bias, into: y, plan);
    }

    private void AddBias(OpStream ops, Matrix y)
    {
        if (Bias is not null) ops.AddBias(Bias, into: y);
    }
}
