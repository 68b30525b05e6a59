using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Running;
using Quilt.Kernels.Catalog;
using Quilt.Perf;
using Quilt.Perf.Columns;

if (args is ["--roofline"])
{
    if (PtxAssembler.WhyNot is { } why)
    {
        Console.Error.WriteLine($"The page is computed from assembled kernels: {why}.");
        return 1;
    }
    Console.Out.Write(Roofline.Page());
    return 0;
}

if (args is ["--ptx", var folder])
{
    KernelTexts.Write(folder);
    return 0;
}

if (args is ["--overhead", var streams, var tokens])
    return await Quilt.Perf.Runtime.ServerOverhead.RunAsync(int.Parse(streams, null), int.Parse(tokens, null));

if (args is ["--tiers", .. var where])
    return Quilt.Perf.Runtime.TierSpeed.Run(where is [var place] ? place : Path.Combine(Path.GetTempPath(), $"quilt-tiers-{Environment.ProcessId}"));

if (args is ["--gate"]) return Gate.Run();

var config = DefaultConfig.Instance
    .AddDiagnoser(MemoryDiagnoser.Default)
    .HideColumns(Column.Error, Column.StdDev, Column.RatioSD, Column.Median)
    .AddColumn(new ThroughputColumn(share: false), new ThroughputColumn(share: true), new ProductsColumn(share: false),
        new ProductsColumn(share: true));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
return 0;
