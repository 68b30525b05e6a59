using System.Globalization;

namespace Quilt.Perf.Columns;

/// <summary>
/// GB/s of a bench that <see cref="IMovesBytes"/>, or that speed as a share of what this machine reads from memory, measured in the same run.
/// </summary>
public sealed class ThroughputColumn(bool share) : BenchColumn
{
    public override string Id => share ? "ShareOfReadSpeed" : "Throughput";

    public override string ColumnName => share ? "Of DRAM" : "GB/s";

    public override string Legend =>
        share
            ? $"GB/s over the {ReadSpeed.GigabytesPerSecond:0} GB/s this machine reads from memory now; above 100 % the data lay in a cache"
            : "Bytes moved / mean";

    public override int PriorityInCategory => share ? 1 : 0;

    protected override string? Value(object bench, double nanoseconds)
    {
        if (bench is not IMovesBytes moves) return null;
        var speed = moves.BytesMoved / nanoseconds;
        return share
            ? (speed / ReadSpeed.GigabytesPerSecond).ToString("0%", CultureInfo.InvariantCulture)
            : speed.ToString(speed < 0.1 ? "0.000" : "0.0", CultureInfo.InvariantCulture);
    }
}
