using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

internal static class WeightProfile
{
    /// <summary>What comes until the end of the watch is the product of a weight, or of up to three that are multiplied together.</summary>
    /// <param name="ops">Where.</param>
    /// <param name="weight">The weight; the time belongs to what it is for.</param>
    /// <param name="rows">Rows of its output.</param>
    /// <param name="plan">Which experts are read; null: all there are.</param>
    /// <param name="second">Another with the same input.</param>
    /// <param name="third">One more.</param>
    public static StepWatch Watch(this OpStream ops, Weight weight, int rows, ExpertPlan? plan, Weight? second = null, Weight? third = null)
    {
        if (ops.Profile is not { } profile) return default;
        var watch = new StepWatch(profile, profile.PartOf(weight));
        Count(profile, weight, rows, plan);
        if (second is not null) Count(profile, second, rows, plan);
        if (third is not null) Count(profile, third, rows, plan);
        return watch;
    }

    private static void Count(StepProfile profile, Weight weight, int rows, ExpertPlan? plan)
    {
        var read = plan is null ? 1 : (double)plan.ActiveCount / weight.Experts;
        profile.Must(weight.Bytes * read, 2.0 * rows * weight.Rows * weight.Columns);
    }
}
