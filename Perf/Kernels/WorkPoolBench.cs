using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;

namespace Quilt.Perf.Kernels;

/// <summary>What a job costs that does nothing: handing it out, the claims of its items, and the wait for the last. All threads, awake.</summary>
public class WorkPoolBench
{
    private WorkPool? pool;
    private Nothing job;

    /// <summary>As many items as threads, or tiny ones.</summary>
    [Params(2, 64)]
    public int Items { get; set; }

    [GlobalSetup]
    public void Open() => pool = new WorkPool(new ThreadPlan(CpuTopology.Machine));

    [GlobalCleanup]
    public void Close() => pool!.Dispose();

    [Benchmark]
    public void Run() => pool!.Run(Items, ref job);

    private readonly struct Nothing : IJob
    {
        public void Execute(int item)
        {
        }
    }
}
