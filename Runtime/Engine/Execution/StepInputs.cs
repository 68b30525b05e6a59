using Quilt.Kernels.Devices;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>A step's integers where the operations of its device read them: on a GPU they go over together, before the first operation.</summary>
/// <param name="plan">The step.</param>
/// <param name="ops">The order of work on the device.</param>
/// <param name="tokens">As many rows of the device's own part of the embedding in the place of the step's tokens, where it has a part.</param>
internal readonly ref struct StepInputs(StepPlan plan, OpStream ops, ReadOnlySpan<int> tokens = default)
{
    /// <inheritdoc cref="StepPlan.Tokens"/>
    public Ints Tokens { get; } = ops.Place(tokens.IsEmpty ? plan.Tokens : tokens);

    /// <inheritdoc cref="StepPlan.Positions"/>
    public Ints Positions { get; } = ops.Place(plan.Positions);

    /// <inheritdoc cref="StepPlan.Slots"/>
    public Ints Slots { get; } = ops.Place(plan.Slots);

    /// <inheritdoc cref="StepPlan.TableStarts"/>
    public Ints TableStarts { get; } = ops.Place(plan.TableStarts);

    /// <inheritdoc cref="StepPlan.LogitRows"/>
    public Ints LogitRows { get; } = ops.Place(plan.LogitRows);

    /// <summary>
    /// The block tables; the last that recorded steps read, because their length changes while a sequence grows and what stands before must stay in
    /// its place.
    /// </summary>
    public Ints Tables { get; } = ops.Place(plan.Tables);
}
