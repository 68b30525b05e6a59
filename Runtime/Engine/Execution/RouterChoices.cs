using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Execution;

/// <summary>Keeps what the router of one layer chose: watches a pass through it, or is given the choice.</summary>
/// <param name="tokens">Tokens there are.</param>
/// <param name="perToken">Experts a token goes to.</param>
internal sealed class RouterChoices(int tokens, int perToken) : StepObserver
{
    private readonly int[] ids = new int[checked(tokens * perToken)];
    private int first;

    /// <summary>[tokens, perToken] the experts of each token, ascending.</summary>
    public ReadOnlySpan<int> All => ids;

    public override void Begin(int token) => first = token;

    public override void Layer(OpStream ops, int layer, Matrix x, ExpertPlan? experts)
    {
        if (experts is not null) Take(ops, experts);
    }

    /// <summary>Takes the choices of the chunk that has begun.</summary>
    public void Take(OpStream ops, ExpertPlan plan)
    {
        plan.Fetch(ops);
        plan.Ids.AsSpan(0, plan.Pairs).CopyTo(ids.AsSpan(first * perToken));
    }
}
