using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Quilt.Perf.Columns;

/// <summary>
/// GB/s of a bench that <see cref="IMovesBytes"/>, or that speed as a share of what this machine reads from memory, measured in the same run.
/// </summary>
public sealed class ThroughputColumn(bool share) : IColumn
{
    public string Id => share ? "ShareOfReadSpeed" : "Throughput";

    public string ColumnName => share ? "Of DRAM" : "GB/s";

    public string Legend =>
        share
            ? $"GB/s over the {ReadSpeed.GigabytesPerSecond:0} GB/s this machine reads from memory now; above 100 % the data lay in a cache"
            : "Bytes moved / mean";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => share ? 1 : 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics || Bytes(benchmarkCase) is not { } bytes) return "-";
        var speed = bytes / statistics.Mean;
        return share
            ? (speed / ReadSpeed.GigabytesPerSecond).ToString("0%", CultureInfo.InvariantCulture)
            : speed.ToString(speed < 0.1 ? "0.000" : "0.0", CultureInfo.InvariantCulture);
    }

    private static long? Bytes(BenchmarkCase benchmarkCase)
    {
        if (Activator.CreateInstance(benchmarkCase.Descriptor.Type) is not IMovesBytes bench) return null;
        foreach (var parameter in benchmarkCase.Parameters.Items) bench.GetType().GetProperty(parameter.Name)?.SetValue(bench, parameter.Value);
        return bench.BytesMoved;
    }
}
