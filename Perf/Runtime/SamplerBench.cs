using BenchmarkDotNet.Attributes;
using Quilt.Runtime.Sampling;

namespace Quilt.Perf.Runtime;

/// <summary>
/// One choice among the 200,064 tokens of MiniMax-M2.5: the most likely one, or a draw with the options its generation_config.json asks for.
/// </summary>
public class SamplerBench
{
    private const int Vocabulary = 200_064;
    private readonly Sampler sampler = new();
    private readonly float[] logits = new float[Vocabulary];
    private readonly float[] work = new float[Vocabulary];
    private SamplerState state = null!;

    [Params(false, true)]
    public bool Greedy { get; set; }

    /// <summary>The last choice: what is looked at is not optimised away.</summary>
    public int Token { get; private set; }

    [GlobalSetup]
    public void Open()
    {
        var random = new Random(1);
        foreach (ref var logit in logits.AsSpan()) logit = (random.NextSingle() + random.NextSingle() + random.NextSingle()) * 8;
        state = new SamplerState(new SamplingOptions { Temperature = Greedy ? 0 : 1, TopP = 0.95, TopK = 40, Seed = 1 }, []);
    }

    [Benchmark]
    public void Run()
    {
        logits.CopyTo(work, 0);
        Token = sampler.Sample(work, state, []).Token;
    }
}
