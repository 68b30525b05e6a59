using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>
/// The routed experts of a layer and their router: Σ over the experts e of a token of weight_e · down_e(activation(gate_e(x), up_e(x))).
/// </summary>
internal sealed class RoutedExperts
{
    /// <summary>How they are chosen, and their activation.</summary>
    public required MoeSpec Spec { get; init; }

    /// <summary>Those that are held here, of <see cref="Spec"/>'s.</summary>
    public required Part Held { get; init; }

    public required Linear Router { get; init; }                  // [experts, model]
    public required NativeBuffer? Correction { get; init; }       // [experts]
    public required Linear Gate { get; init; }                    // [experts, width, model]
    public required Linear Up { get; init; }                      // [experts, width, model]
    public required Linear Down { get; init; }                    // [experts, model, width]

    /// <summary>h [tokens, model] in, <paramref name="update"/> [tokens, model] out.</summary>
    public void Forward(in LayerPass pass, Matrix h, Matrix update)
    {
        var ops = pass.Ops;
        Route(pass, h);
        var plan = pass.Experts;
        if (Held.Count < Spec.Experts)
        {
            plan = pass.Own;
            plan.Keep(ops, pass.Experts, Held.First, Held.Count);
        }
        var gate = ops.Scratch(plan.Pairs, Spec.Hidden);          // [pairs, width]
        var down = ops.Scratch(plan.Pairs, h.Columns);
        pass.Watch(Gate, h, plan, ExpertRows.Tokens);
        pass.Watch(Up, h, plan, ExpertRows.Tokens);
        Activate(ops, h, plan, into: gate);
        pass.Watch(Down, gate, plan, ExpertRows.Pairs);
        // Rows of other devices' experts are added with gates of zero: they must be numbers.
        if (plan.HasElsewhere) ops.Clear(down);
        Down.MatMulExperts(ops, gate, plan, ExpertRows.Pairs, down);
        ops.Combine(down, plan, into: update);
    }

    /// <summary>Chooses the experts of h [tokens, model], into the pass's plan.</summary>
    public void Route(in LayerPass pass, Matrix h)
    {
        var ops = pass.Ops;
        var scores = ops.Scratch(h.Rows, Spec.Experts);
        pass.Watch(Router, h);
        Router.MatMul(ops, h, scores);                            // float32 throughout
        ops.Route(scores, Correction, Spec.Routing, pass.Experts);
    }

    /// <summary>
    /// activation(gate · x, up · x), silu(gate) · up or what the family has instead: <paramref name="x"/> is [tokens, model],
    /// <paramref name="into"/> [pairs, width] in the plan's order.
    /// </summary>
    private void Activate(OpStream ops, Matrix x, ExpertPlan plan, Matrix into)
    {
        var isPlain = Spec.SwigluLimit is null && Gate.Bias is null && Up.Bias is null;
        if (isPlain && Gate.Weight.TryMatMulGated(ops, Up.Weight, x, plan, into)) return;
        var mark = ops.Mark();
        var up = ops.Scratch(into.Rows, into.Columns);
        Gate.MatMulExperts(ops, x, plan, ExpertRows.Tokens, into);
        Up.MatMulExperts(ops, x, plan, ExpertRows.Tokens, up);
        if (Spec.SwigluLimit is { } limit) ops.ClampedSwiglu(into, up, limit, into);
        else ops.SiluMul(into, up, into);
        ops.Release(mark);
    }
}
