using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

internal static class WeightProfile
{
    /// <summary>What comes until the end of the watch is the product of a weight.</summary>
    /// <param name="ops">Where.</param>
    /// <param name="weight">The weight.</param>
    /// <param name="rows">Rows of its output.</param>
    /// <param name="plan">Which experts are read; null: all there are.</param>
    public static StepWatch Watch(this OpStream ops, Weight weight, int rows, ExpertPlan? plan)
    {
        if (ops.Profile is not { } profile) return default;
        var watch = new StepWatch(profile, profile.PartOf(weight));
        var read = plan is null ? 1 : (double)plan.ActiveCount / weight.Experts;
        profile.Must(weight.Bytes * read, 2.0 * rows * weight.Rows * weight.Columns);
        return watch;
    }
}
