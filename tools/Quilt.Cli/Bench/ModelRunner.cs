using System.Diagnostics;
using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Cli.Bench;

/// <summary>
/// Drives an executor step by step on random tokens, and takes the time; tokens are chosen, but random ones take their place. They are the same in
/// every run.
/// </summary>
internal sealed class ModelRunner(IExecutor executor, StepCost cost, int stepTokens, SamplingOptions? sampling = null)
{
    private readonly KvBlockPool blocks = new(executor.Cache.Layout.Blocks, executor.Cache.BlockTokens);
    private readonly StepPlan plan = new();
    private readonly Random random = new(1);
    private readonly Dictionary<int, int> expertsRead = [];
    private readonly SamplingOptions sampling = sampling ?? new SamplingOptions { Temperature = 0 };
    private readonly int blockTokens = executor.Cache.BlockTokens;

    /// <summary>Seconds to read a prompt of <paramref name="tokens"/> tokens, up to the logits of the last.</summary>
    /// <param name="tokens">How many.</param>
    /// <param name="profile">Who watches; null: nobody.</param>
    public double Prefill(int tokens, StepProfile? profile = null)
    {
        var sequence = Start(tokens);
        executor.Profile = profile;
        var start = Stopwatch.GetTimestamp();
        Read(sequence);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        blocks.Release(sequence.BlockTable);
        return seconds;
    }

    /// <summary>
    /// Seconds for <paramref name="steps"/> steps of <paramref name="batch"/> sequences that have read <paramref name="context"/> tokens each, the
    /// bytes such a step reads, and the seconds to choose a token from each row of logits behind the steps.
    /// </summary>
    public DecodeRun Decode(int batch, int context, int steps, StepProfile? profile = null)
    {
        executor.Profile = null;
        var sequences = new List<Sequence>();
        for (var i = 0; i < batch; i++)
        {
            sequences.Add(Start(context));
            Read(sequences[i]);
        }

        executor.Profile = profile;
        var (ticks, choosing, bytes) = (0L, 0L, 0L);
        for (var step = 0; step < steps; step++)
        {
            plan.TryReset();
            foreach (var sequence in sequences)
            {
                Book(sequence, 1);
                plan.Add(sequence, 1, blockTokens, LogitsOf.LastToken);
            }
            if (step == 0 && executor.Device is GpuDevice) Count(batch);
            var start = Stopwatch.GetTimestamp();
            profile?.BeginStep();
            executor.Run(plan);
            var run = Stopwatch.GetTimestamp();
            executor.Choose(plan);
            profile?.EndStep();
            ticks += run - start;
            choosing += Stopwatch.GetTimestamp() - run;
            var experts = executor.Device is GpuDevice ? expertsRead[batch] : executor.ExpertsRead;
            bytes += cost.Bytes(experts, sequences.Sum(sequence => (long)sequence.Tokens.Count), executor.Cache.Type);
            foreach (var sequence in sequences) sequence.Computed++;
        }
        foreach (var sequence in sequences) blocks.Release(sequence.BlockTable);
        return new(ticks / (double)Stopwatch.Frequency, bytes / (double)steps, choosing / (double)Stopwatch.Frequency);
    }

    /// <summary>Operations in reading a prompt.</summary>
    public double PrefillOperations(int tokens) => cost.Operations(tokens, 1);

    /// <summary>Operations in a step of so many sequences.</summary>
    public double DecodeOperations(int batch) => cost.Operations(batch, batch);

    private Sequence Start(int tokens)
    {
        var state = new SamplerState();
        var sequence = new Sequence(sampling: state);
        Book(sequence, tokens);
        state.Begin(sampling with { Seed = 1 }, CollectionsMarshal.AsSpan(sequence.Tokens), []);
        return sequence;
    }

    private void Read(Sequence sequence)
    {
        while (sequence.Computed < sequence.Tokens.Count)
        {
            var count = Math.Min(stepTokens, sequence.Tokens.Count - sequence.Computed);
            plan.TryReset();
            plan.Add(sequence, count, blockTokens, LogitsOf.LastToken);
            executor.Profile?.BeginStep();
            executor.Run(plan);
            executor.Profile?.EndStep();
            sequence.Computed += count;
        }
    }

    /// <summary>A GPU does not tell which experts it chose: once for each batch they are counted, in a step that is not timed.</summary>
    private void Count(int batch)
    {
        if (expertsRead.ContainsKey(batch)) return;
        var trace = new StepTrace(batch, executor.Spec, layers: true);
        executor.Rows(plan, observer: trace);
        expertsRead[batch] = trace.RouterIds.Sum(layer => layer.Distinct().Count());
    }

    /// <summary>Appends random tokens and takes the cache blocks for them.</summary>
    private void Book(Sequence sequence, int count)
    {
        for (var i = 0; i < count; i++) sequence.Tokens.Add(random.Next(executor.Spec.VocabularySize));
        var missing = ((sequence.Tokens.Count + blockTokens - 1) / blockTokens) - sequence.BlockTable.Count;
        if (missing > 0 && !blocks.TryAllocate(missing, sequence.BlockTable))
            throw new InvalidOperationException("the cache is smaller than the bench planned");
    }
}

/// <summary>Some decoding steps.</summary>
/// <param name="Seconds">All of them.</param>
/// <param name="StepBytes">Bytes that one must read at least, on average.</param>
/// <param name="ChoosingSeconds">To choose the tokens, behind the steps.</param>
internal readonly record struct DecodeRun(double Seconds, double StepBytes, double ChoosingSeconds);
