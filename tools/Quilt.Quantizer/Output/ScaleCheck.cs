using Quilt.Formats;
using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Output;

/// <summary>What no loader takes is not written.</summary>
internal static class ScaleCheck
{
    /// <summary>Looks at scales that a weight is to have.</summary>
    /// <exception cref="BadInputException">One is not finite and more than 0: the weight's values are too large for its type.</exception>
    public static void All(WeightRows weight, ReadOnlySpan<float> scales)
    {
        foreach (var scale in scales)
        {
            if (!(scale > 0 && float.IsFinite(scale)))
                throw weight.Bad(FormattableString.Invariant($"expected a weight with finite scales of more than 0, found the scale {scale}"));
        }
    }
}
