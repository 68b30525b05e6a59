using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Cli.Bench;

/// <summary>
/// Drives a decoder step by step on random tokens, and takes the time; the random tokens take the place of those that would be chosen. Chooses the
/// same tokens in every run.
/// </summary>
internal sealed class ModelRunner(Decoder decoder, KvStore kv, OpStream ops, int stepTokens) : IDisposable
{
    private readonly KvBlockPool blocks = new(kv.Blocks);
    private readonly StepPlan plan = new();
    private readonly Random random = new(1);
    private readonly Dictionary<int, int> expertsRead = [];
    private readonly DeviceChoice choice = new(decoder.Spec.VocabularySize);
    private readonly SamplerState greedy = new(new SamplingOptions { Temperature = 0 }, []);
    private readonly StepCost cost = new(decoder.Spec, decoder.Weights);

    /// <summary>Seconds to read a prompt of <paramref name="tokens"/> tokens, up to the logits of the last.</summary>
    public double Prefill(int tokens)
    {
        var sequence = Start(tokens);
        var start = Stopwatch.GetTimestamp();
        Read(sequence);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        blocks.Release(sequence.BlockTable);
        return seconds;
    }

    /// <summary>
    /// Seconds for <paramref name="steps"/> steps of <paramref name="batch"/> sequences that have read <paramref name="context"/> tokens each, and
    /// the bytes such a step reads.
    /// </summary>
    public (double Seconds, double StepBytes) Decode(int batch, int context, int steps)
    {
        var sequences = new List<Sequence>();
        for (var i = 0; i < batch; i++)
        {
            sequences.Add(Start(context));
            Read(sequences[i]);
        }

        var (ticks, bytes) = (0L, 0L);
        for (var step = 0; step < steps; step++)
        {
            plan.TryReset();
            foreach (var sequence in sequences)
            {
                Book(sequence, 1);
                plan.Add(sequence, 1, kv.BlockTokens, LogitsOf.LastToken);
            }
            if (step == 0 && ops.Gpu is not null) Count(batch);
            var start = Stopwatch.GetTimestamp();
            Forward();
            ticks += Stopwatch.GetTimestamp() - start;
            bytes += cost.Bytes(ops.Gpu is null
                ? decoder.ExpertsRead
                : expertsRead[batch], sequences.Sum(sequence => (long)sequence.Tokens.Count), kv.Type);
            foreach (var sequence in sequences) sequence.Computed++;
        }
        foreach (var sequence in sequences) blocks.Release(sequence.BlockTable);
        return (ticks / (double)Stopwatch.Frequency, bytes / (double)steps);
    }

    /// <summary>Operations in reading a prompt.</summary>
    public double PrefillOperations(int tokens) => cost.Operations(tokens, 1);

    public void Dispose() => kv.Dispose();

    private Sequence Start(int tokens)
    {
        var sequence = new Sequence([]);
        Book(sequence, tokens);
        return sequence;
    }

    private void Read(Sequence sequence)
    {
        while (sequence.Computed < sequence.Tokens.Count)
        {
            var count = Math.Min(stepTokens, sequence.Tokens.Count - sequence.Computed);
            plan.TryReset();
            plan.Add(sequence, count, kv.BlockTokens, LogitsOf.LastToken);
            Forward();
            sequence.Computed += count;
        }
    }

    /// <summary>A GPU does not tell which experts it chose: once for each batch they are counted, in a step that is not timed.</summary>
    private void Count(int batch)
    {
        if (expertsRead.ContainsKey(batch)) return;
        var trace = new StepTrace(batch, decoder.Spec, layers: true);
        ops.Reset();
        ops.ToHost(decoder.Forward(plan, kv, ops, trace));
        expertsRead[batch] = trace.RouterIds.Sum(layer => layer.Distinct().Count());
    }

    private void Forward()
    {
        ops.Reset();
        if (ops.Gpu is null)
        {
            decoder.Forward(plan, kv, ops);
            return;
        }
        // On a GPU a step ends with what the most likely tokens are.
        var inputs = new StepInputs(plan, ops);
        choice.Begin();
        for (var row = 0; row < plan.LogitRows.Length; row++) choice.Add(greedy);
        choice.Place(ops);
        choice.Run(ops, decoder.Forward(plan, inputs, kv, ops));
    }

    /// <summary>Appends random tokens and takes the cache blocks for them.</summary>
    private void Book(Sequence sequence, int count)
    {
        for (var i = 0; i < count; i++) sequence.Tokens.Add(random.Next(decoder.Spec.VocabularySize));
        var missing = ((sequence.Tokens.Count + kv.BlockTokens - 1) / kv.BlockTokens) - sequence.BlockTable.Count;
        if (missing > 0 && !blocks.TryAllocate(missing, sequence.BlockTable))
            throw new InvalidOperationException("the cache is smaller than the bench planned");
    }
}
