using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;

namespace Quilt.Runtime.Models;

/// <summary>What the layers of one step share, beside the numbers that go through them.</summary>
/// <param name="step">The step's integers.</param>
/// <param name="ops">The order of work on the device.</param>
/// <param name="rope">The table of angles; it covers the step's positions.</param>
/// <param name="experts">Where a layer's router writes its choice.</param>
/// <param name="observer">Who watches; null: nobody.</param>
/// <param name="own">Where the part of that choice stands whose experts this device has, if it has not all.</param>
/// <param name="link">What ties the device to others that hold the rest of every layer; null: there are none.</param>
internal readonly ref struct LayerPass(
    StepInputs step, OpStream ops, RopeTable rope, ExpertPlan experts, StepObserver? observer, DeviceLink? link = null,
    ExpertPlan? own = null)
{
    /// <inheritdoc cref="StepInputs"/>
    public StepInputs Step { get; } = step;

    /// <summary>The order of work on the device.</summary>
    public OpStream Ops { get; } = ops;

    /// <summary>The table of angles.</summary>
    public RopeTable Rope { get; } = rope;

    /// <summary>The choice of the layer at work.</summary>
    public ExpertPlan Experts { get; } = experts;

    /// <summary>The part of that choice whose experts this device has, where it has not all of them.</summary>
    public ExpertPlan Own => own ?? throw new InvalidOperationException("A device that has some of the experts needs a plan of its own.");

    /// <summary>What ties the device to others that hold the rest of every layer; null: there are none.</summary>
    public DeviceLink? Link { get; } = link;

    /// <summary>Tells whoever watches what a linear layer is about to be given: a row a token.</summary>
    public void Watch(Linear linear, Matrix x) => observer?.Input(Ops, linear, x, null, default);

    /// <summary>The same for routed experts; <paramref name="rows"/> says which row a (token, expert) pair has.</summary>
    public void Watch(Linear linear, Matrix x, ExpertPlan plan, Kernels.Weights.ExpertRows rows) => observer?.Input(Ops, linear, x, plan, rows);
}
