using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>A step of decoding costs no garbage, however many sequences are in it.</summary>
public sealed class StepAllocationTests
{
    private static readonly int[][] Prompts = [[5, 6], [.. Enumerable.Range(20, 30)], [7, 9, 11]];

    [Test]
    public void A_decode_step_allocates_nothing([Values(Activations.Float, Activations.Int8)] Activations activations,
        [Values("greedy", "sampled", "penalized")] string how)
    {
        var sampling = how switch
        {
            "greedy" => new SamplingOptions { Temperature = 0 },
            "sampled" => new SamplingOptions { Temperature = 0.8, TopP = 0.95, TopK = 40, MinP = 0.01, Seed = 3, LogProbabilities = true },
            _ => new SamplingOptions { Temperature = 0.8, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1, PresencePenalty = 0.1, Seed = 3 },
        };
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Threads = 1 }, null, default);
        var pool = new KvBlockPool(64);
        using var executor = new Executor(model.Decoder, model.Device, new KvLayout(pool.Blocks, 16, KvType.Float32), activations);
        var scheduler = new Scheduler(pool, new SchedulerOptions { MaxBatchedTokens = 512, MaxSequences = 8, PrefixCaching = true });
        var sequences = new List<Sequence>();
        foreach (var prompt in Prompts)
        {
            var state = new SamplerState(sampling, prompt);
            state.Seen.EnsureCapacity(TinyMiniMax.MaxPositions);
            var sequence = new Sequence(sampling: state);
            sequence.Begin(prompt);
            // What a sequence grows by is amortized and counted once, not in each step.
            sequence.Tokens.EnsureCapacity(TinyMiniMax.MaxPositions);
            sequence.BlockTable.EnsureCapacity(TinyMiniMax.MaxPositions / 16);
            sequence.Hashes.EnsureCapacity(TinyMiniMax.MaxPositions / 16);
            sequences.Add(sequence);
            scheduler.Submit(sequence);
        }

        // Code is compiled and scratch memory takes its size in the first steps.
        for (var step = 0; step < 100; step++) Step();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 50; step++) Step();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(sequences.Select(sequence => sequence.Tokens.Count), Is.EqualTo(Prompts.Select(prompt => prompt.Length + 150)));

        void Step()
        {
            if (!scheduler.TryPlan(out var plan)) throw new InvalidOperationException("There is always something to do.");
            executor.Run(plan);
            executor.Choose(plan);
            foreach (var chunk in plan.Chunks) chunk.Sequence.Tokens.Add(executor.Chosen(chunk).Token);
            scheduler.Return(plan);
        }
    }
}
