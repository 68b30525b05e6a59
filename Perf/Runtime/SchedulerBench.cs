using BenchmarkDotNet.Attributes;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Perf.Runtime;

/// <summary>Planning one decoding step of many sequences and taking it back: no weights, no device.</summary>
public class SchedulerBench
{
    private const int BlockTokens = 16;
    private Scheduler scheduler = null!;
    private Sequence[] sequences = [];

    [Params(1, 64)]
    public int Sequences { get; set; }

    [IterationSetup]
    public void Open()
    {
        scheduler = new Scheduler(new KvBlockPool(1 << 16, BlockTokens),
            new SchedulerOptions { MaxBatchedTokens = 1 << 14, MaxSequences = Sequences, PrefixCaching = true });
        sequences = [.. Enumerable.Range(0, Sequences).Select(_ => new Sequence([1, 2, 3, 4]))];
        foreach (var sequence in sequences) scheduler.Submit(sequence);
        Step();
    }

    /// <summary>A thousand steps: one alone is too short to be timed.</summary>
    [Benchmark(OperationsPerInvoke = 1000)]
    public void Run()
    {
        for (var i = 0; i < 1000; i++) Step();
    }

    private void Step()
    {
        if (!scheduler.TryPlan(out var plan)) throw new InvalidOperationException("there is nothing to do");
        foreach (var chunk in plan.Chunks) chunk.Sequence.Tokens.Add(7);
        scheduler.Return(plan);
    }
}
