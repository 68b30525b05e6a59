using System.Globalization;

namespace Quilt.Perf.Columns;

/// <summary>
/// GOP/s of a bench that <see cref="IMakesProducts"/>, or that rate as a share of what the same instructions reach in registers, measured in the same
/// run.
/// </summary>
public sealed class ProductsColumn(bool share) : BenchColumn
{
    public override string Id => share ? "ShareOfRegisterPeak" : "Products";

    public override string ColumnName => share ? "Of peak" : "GOP/s";

    public override string Legend => share ? "GOP/s over those of multiply-adds in registers, of bytes or float32" : "Operations of products / mean";

    public override int PriorityInCategory => share ? 3 : 2;

    protected override string? Value(object bench, double nanoseconds)
    {
        if (bench is not IMakesProducts makes) return null;
        var rate = makes.Operations / nanoseconds;
        return share
            ? (rate / RegisterPeak.Of(makes.Target, makes.OfBytes)).ToString("0%", CultureInfo.InvariantCulture)
            : rate.ToString("0.0", CultureInfo.InvariantCulture);
    }
}
