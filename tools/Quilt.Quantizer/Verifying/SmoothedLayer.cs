using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Repair;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying;

/// <summary>The norm in front of a layer's feed-forward beside the official one, and beside the weights that read it.</summary>
/// <param name="Ratio">What it was divided by; null where no positive numbers take one norm to the other.</param>
/// <param name="IsOfOneModel">Whether the weights are the official ones, smoothed or not; else nothing but their sizes is known of the norm.</param>
/// <param name="Problem">What is wrong with the norm; null: nothing.</param>
internal sealed record SmoothedLayer(NormRatio? Ratio, bool IsOfOneModel, string? Problem)
{
    /// <summary>Looks at a layer; null where a tensor that is needed for it is not whole.</summary>
    public static SmoothedLayer? Of(Checkpoint official, Checkpoint model, LayerModules layer)
    {
        try
        {
            if (NormRatio.Find(official, model, layer.FeedForwardNorm, out var problem) is not { } ratio)
                return new SmoothedLayer(null, true, problem);
            var fit = NormFit.Of(official, model, layer, ratio);
            return new SmoothedLayer(ratio, fit.IsOfOneModel, fit.IsOfOneModel && !fit.Fits ? Mismatch(ratio, fit) : null);
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    private static string Mismatch(NormRatio ratio, NormFit fit) => ratio.IsIdentity
        ? FormattableString.Invariant(
            $"expected the norm that the experts were smoothed with, found the official one; their columns differ by a factor of {Factor(fit):0.##}")
        : FormattableString.Invariant(
            $"expected the norm that goes with the weights that read it, found one that is off by a factor of {Factor(fit):0.##} a column");

    private static double Factor(NormFit fit) => Math.Pow(2, fit.Distance);
}
