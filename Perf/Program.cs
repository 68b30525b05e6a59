using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Running;
using Quilt.Perf.Columns;

var config = DefaultConfig.Instance
    .AddDiagnoser(MemoryDiagnoser.Default)
    .HideColumns(Column.Error, Column.StdDev, Column.RatioSD, Column.Median)
    .AddColumn(new ThroughputColumn(share: false), new ThroughputColumn(share: true));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
