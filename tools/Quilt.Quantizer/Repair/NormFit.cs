using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Repair;

/// <summary>
/// Whether a norm belongs to the weights that read it: what it was divided by, their columns must have been multiplied with.
/// </summary>
/// <param name="Distance">
/// Median over columns of |log2| of the factor between the two, in the module where it is least; rounding alone stays below 0.03.
/// </param>
/// <param name="Correlation">The largest median correlation of a module's columns with the official ones.</param>
internal readonly record struct NormFit(double Distance, double Correlation)
{
    /// <summary>Modules that are looked at: damage to one of them is no matter of the norm.</summary>
    private const int Modules = 8;

    private const double MostDistance = 0.1;
    private const double LeastCorrelation = 0.5;

    /// <summary>Whether any of the weights is the official one, smoothed or not; else nothing can be said of the norm.</summary>
    public bool IsOfOneModel => Correlation > LeastCorrelation;

    /// <summary>Whether the norm belongs to them.</summary>
    public bool Fits => Distance < MostDistance;

    /// <summary>Looks at the first experts of a layer, or at its dense part.</summary>
    /// <exception cref="Formats.BadInputException">A tensor is missing, or has another shape or impossible values.</exception>
    public static NormFit Of(Checkpoint official, Checkpoint model, LayerModules layer, NormRatio ratio)
    {
        var readers = layer.Experts is { } experts
            ? Enumerable.Range(0, Math.Min(Modules, experts.Spec.Experts)).Select(experts.Gate)
            : [layer.Dense!.Gate];
        var best = new NormFit(double.PositiveInfinity, -1);
        foreach (var reader in readers)
        {
            var (distance, correlation) = ColumnScale.Compare(model.Module(reader.Name, reader.Rows, reader.Columns),
                official.Module(reader.Name, reader.Rows, reader.Columns), ratio.S);
            if (correlation > LeastCorrelation) best = best with { Distance = Math.Min(best.Distance, distance) };
            best = best with { Correlation = Math.Max(best.Correlation, correlation) };
        }
        return best;
    }
}
