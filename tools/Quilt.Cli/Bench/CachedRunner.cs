using System.Diagnostics;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Cli.Bench;

/// <summary>
/// Reads prompts that are cached: hashes them, finds their blocks, and computes what is left, the last block at most. What the cached blocks hold
/// is of no account for the time it takes, so they are booked and never computed.
/// </summary>
internal sealed class CachedRunner
{
    private readonly IExecutor executor;
    private readonly Scheduler scheduler;
    private readonly KvBlockPool blocks;
    private readonly Random random = new(1);

    /// <summary>A runner in the whole of an executor's cache.</summary>
    public CachedRunner(IExecutor executor)
    {
        this.executor = executor;
        blocks = new KvBlockPool(executor.Cache.Layout.Blocks, executor.Cache.BlockTokens);
        scheduler = new Scheduler(blocks, new SchedulerOptions { MaxBatchedTokens = 1 << 16, MaxSequences = 1, PrefixCaching = true });
    }

    /// <summary>Seconds to hash a cached prompt and find its blocks, and seconds to the logits of its last token.</summary>
    public (double Find, double Read) Run(int tokens)
    {
        blocks.Forget();
        int[] prompt = [.. Enumerable.Range(0, tokens).Select(_ => random.Next(executor.Spec.VocabularySize))];
        var first = new Sequence(prompt);
        scheduler.Submit(first);
        while (first.Missing > 0 && scheduler.TryPlan(out var part)) scheduler.Return(part);
        scheduler.Remove(first);

        var start = Stopwatch.GetTimestamp();
        var second = new Sequence(prompt);
        scheduler.Submit(second);
        if (!scheduler.TryPlan(out var plan) || plan.Tokens.Length > executor.Cache.BlockTokens)
            throw new InvalidOperationException("the prompt was not found in the cache");
        var find = Stopwatch.GetElapsedTime(start).TotalSeconds;
        executor.Run(plan);
        var read = Stopwatch.GetElapsedTime(start).TotalSeconds;
        scheduler.Return(plan);
        scheduler.Remove(second);
        return (find, read);
    }
}
