using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Models;

/// <summary>Runs one prompt through a decoder, chunk by chunk, in a cache of its own, and keeps the numbers.</summary>
internal static class PromptTracer
{
    public static StepTrace Run(Decoder decoder, IReadOnlyList<int> tokens, bool layers, EngineOptions options, KvType type, Device device,
        OpStream ops)
    {
        var blocks = (tokens.Count + options.BlockTokens - 1) / options.BlockTokens;
        using var kv = new KvStore(decoder.Spec, blocks, options.BlockTokens, type, device);
        var sequence = new Sequence(tokens);
        new KvBlockPool(blocks).TryAllocate(blocks, sequence.BlockTable);
        var trace = new StepTrace(tokens.Count, decoder.Spec, layers);
        var plan = new StepPlan();
        while (sequence.Computed < tokens.Count)
        {
            var count = Math.Min(options.StepTokens, tokens.Count - sequence.Computed);
            plan.TryReset();
            plan.Add(sequence, count, options.BlockTokens, LogitsOf.EveryToken);
            ops.Reset();
            trace.Finish(ops.ToHost(decoder.Forward(plan, kv, ops, trace)));
            sequence.Computed += count;
        }
        return trace;
    }
}
