using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Quilt.Perf.Columns;

/// <summary>A column that is computed of a case's mean time and of what its bench says of itself.</summary>
public abstract class BenchColumn : IColumn
{
    public abstract string Id { get; }

    public abstract string ColumnName { get; }

    public abstract string Legend { get; }

    public abstract int PriorityInCategory { get; }

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        summary[benchmarkCase]?.ResultStatistics is { } statistics ? Value(Bench(benchmarkCase), statistics.Mean) ?? "-" : "-";

    /// <summary>The text; null where the bench does not say what it takes.</summary>
    /// <param name="bench">With its parameters, before any setup.</param>
    /// <param name="nanoseconds">The mean of a run.</param>
    protected abstract string? Value(object bench, double nanoseconds);

    private static object Bench(BenchmarkCase benchmarkCase)
    {
        var bench = Activator.CreateInstance(benchmarkCase.Descriptor.Type)!;
        foreach (var parameter in benchmarkCase.Parameters.Items) bench.GetType().GetProperty(parameter.Name)?.SetValue(bench, parameter.Value);
        return bench;
    }
}
