using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>Runs one prompt through an executor, chunk by chunk, in a cache of its own, and keeps the numbers.</summary>
internal static class PromptTracer
{
    /// <summary>The numbers of one prompt.</summary>
    /// <param name="executor">What runs it.</param>
    /// <param name="tokens">The prompt.</param>
    /// <param name="layers">Whether to keep what happens in the layers.</param>
    /// <param name="stepTokens">Most tokens in a chunk.</param>
    /// <param name="type">In what precision keys and values are kept.</param>
    public static StepTrace Run(IExecutor executor, IReadOnlyList<int> tokens, bool layers, int stepTokens, KvType type = KvType.Float32)
    {
        var blockTokens = executor.Cache.BlockTokens;
        var blocks = (tokens.Count + blockTokens - 1) / blockTokens;
        using var cache = executor.NewCache(new KvLayout(blocks, blockTokens, type));
        var sequence = new Sequence(tokens);
        new KvBlockPool(blocks).TryAllocate(blocks, sequence.BlockTable);
        var trace = new StepTrace(tokens.Count, executor.Spec, layers);
        var plan = new StepPlan();
        while (sequence.Computed < tokens.Count)
        {
            var count = Math.Min(stepTokens, tokens.Count - sequence.Computed);
            plan.TryReset();
            trace.Begin(sequence.Computed);
            plan.Add(sequence, count, blockTokens, LogitsOf.EveryToken);
            trace.Finish(executor.Rows(plan, cache, trace));
            sequence.Computed += count;
        }
        return trace;
    }
}
