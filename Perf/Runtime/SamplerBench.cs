using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Perf.Runtime;

/// <summary>
/// The choices of a step among the 200,064 tokens of MiniMax-M2.5, on all threads: the most likely one, a draw with the options that its
/// generation_config.json asks for, the same with its card's penalties on 2,000 tokens seen, and a draw with top_p alone. A step of the model is
/// measured by <see cref="DecodeStepBench"/>; <c>quilt bench</c> gives the share of one in the other.
/// </summary>
public class SamplerBench
{
    private const int Vocabulary = 200_064;
    private const int SeenTokens = 2000;
    private readonly CpuDevice device = new();
    private readonly StepPlan plan = new();
    private readonly float[] logits = new float[Vocabulary];
    private OpStream ops = null!;
    private StepChoice choice = null!;
    private Matrix rows;

    [Params(1, 64)]
    public int Sequences { get; set; }

    [Params("greedy", "checkpoint", "penalized", "top_p")]
    public string Options { get; set; } = "";

    [GlobalSetup]
    public void Open()
    {
        var random = new Random(1);
        foreach (ref var logit in logits.AsSpan()) logit = (random.NextSingle() + random.NextSingle() + random.NextSingle()) * 4;
        for (var i = 0; i < 200; i++) logits[random.Next(Vocabulary)] = 14 + (random.NextSingle() * 10);
        int[] seen = [.. Enumerable.Range(0, SeenTokens).Select(_ => random.Next(Vocabulary))];
        var options = Options switch
        {
            "greedy" => new SamplingOptions { Temperature = 0 },
            "top_p" => new SamplingOptions { TopP = 0.95, Seed = 1 },
            "checkpoint" => new SamplingOptions { TopP = 0.95, TopK = 40, Seed = 1 },
            _ => new SamplingOptions { TopP = 0.95, TopK = 40, RepetitionPenalty = 1.1, FrequencyPenalty = 0.4, Seed = 1 },
        };
        (ops, choice) = (new OpStream(device), new StepChoice(device));
        rows = ops.HostScratch(Sequences, Vocabulary);
        for (var i = 0; i < Sequences; i++)
        {
            var state = new SamplerState(options, seen);
            foreach (var id in seen) state.Accept(id);
            // So that what a run adds to them is none of what it allocates.
            state.Seen.EnsureCapacity(2 * SeenTokens);
            var sequence = new Sequence(sampling: state);
            sequence.Begin([1]);
            sequence.BlockTable.Add(0);
            plan.Add(sequence, 1, 16, LogitsOf.LastToken);
        }
    }

    [GlobalCleanup]
    public void Close()
    {
        ops.Dispose();
        device.Dispose();
    }

    /// <summary>Copying the rows is part of the run: a choice changes them, as a step makes them anew.</summary>
    [Benchmark]
    public void Run()
    {
        for (var i = 0; i < Sequences; i++) logits.CopyTo(rows.Row(i));
        choice.Run(plan, rows, ops, null);
    }
}
