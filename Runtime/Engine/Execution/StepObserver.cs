using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Is told what happens inside a forward pass. The matrices it is given lie where the step has them, on the device (<see cref="OpStream.ToHost"/>
/// copies one), and mean something else once the call is over. A step without an observer pays nothing for it.
/// </summary>
internal abstract class StepObserver
{
    /// <summary>What follows is of the tokens from this one on, for those who see the tokens of prompts in chunks.</summary>
    public virtual void Begin(int token)
    {
    }

    /// <summary>What enters layer 0: x is [tokens, model].</summary>
    public virtual void Embedded(OpStream ops, Matrix x)
    {
    }

    /// <summary>
    /// What a linear layer is about to be given: x is [tokens, inputs], or for routed experts whatever <paramref name="rows"/> says.
    /// </summary>
    /// <param name="ops">The order of work on the device.</param>
    /// <param name="linear">The layer, by the name of its weight one of the checkpoint's.</param>
    /// <param name="x">Its input.</param>
    /// <param name="plan">For routed experts: which token goes to which; null for others.</param>
    /// <param name="rows">For routed experts: whether a row is a token or a (token, expert) pair.</param>
    public virtual void Input(OpStream ops, Linear linear, Matrix x, ExpertPlan? plan, ExpertRows rows)
    {
    }

    /// <summary>The residual stream after a layer: x is [tokens, model].</summary>
    /// <param name="ops">The order of work on the device.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="x">The residual stream.</param>
    /// <param name="experts">What its router chose; null for a layer without one.</param>
    public virtual void Layer(OpStream ops, int layer, Matrix x, ExpertPlan? experts)
    {
    }
}
