using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Models;

/// <summary>Several prompts through one decoder in common steps, a chunk of each in every step, their cache blocks interleaved.</summary>
internal static class BatchRun
{
    public static float[][] Logits(Decoder decoder, int[][] prompts, int chunk, int blockTokens = 16, Isa? isa = null, Device? on = null)
    {
        using var own = on is null ? new CpuDevice(isa, threads: 2) : null;
        var device = on ?? own!;
        var blocks = prompts.Sum(prompt => (prompt.Length + blockTokens - 1) / blockTokens);
        using var executor = new Executor(decoder, device, new KvLayout(blocks, blockTokens, KvType.Float32));
        var pool = new KvBlockPool(blocks);
        var sequences = prompts.Select(prompt => new Sequence(prompt)).ToArray();
        var logits = prompts.Select(prompt => new List<float>(prompt.Length * decoder.Spec.VocabularySize)).ToArray();

        while (sequences.Any(s => s.Computed < s.Tokens.Count))
        {
            var plan = new StepPlan();
            foreach (var sequence in sequences)
            {
                var count = Math.Min(chunk, sequence.Tokens.Count - sequence.Computed);
                if (count == 0) continue;
                var missing = ((sequence.Computed + count + blockTokens - 1) / blockTokens) - sequence.BlockTable.Count;
                if (missing > 0) Assert.That(pool.TryAllocate(missing, sequence.BlockTable), Is.True);
                plan.Add(sequence, count, blockTokens, LogitsOf.EveryToken);
            }

            var rows = executor.Rows(plan);
            var row = 0;
            foreach (var part in plan.Chunks)
            {
                var into = logits[Array.IndexOf(sequences, part.Sequence)];
                for (var i = 0; i < part.Count; i++) into.AddRange(rows.Row(row++));
                part.Sequence.Computed += part.Count;
            }
        }
        return [.. logits.Select(list => list.ToArray())];
    }
}
