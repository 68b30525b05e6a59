using System.Runtime.InteropServices;

namespace Quilt.Runtime.Sampling;

/// <summary>What sampling remembers of one request: its random numbers, and which tokens it has seen.</summary>
internal sealed class SamplerState
{
    private readonly Dictionary<int, int> outputCounts = [];
    private readonly HashSet<int> seen = [];
    private bool countsOutput;
    private bool countsSeen;
    private ulong random;

    /// <summary>A state without a request, to be given one by <see cref="Begin"/>.</summary>
    public SamplerState()
    {
    }

    /// <summary>The state of a request that is about to begin.</summary>
    public SamplerState(SamplingOptions options, ReadOnlySpan<int> prompt, IReadOnlyCollection<int>? endTokens = null) =>
        Begin(options, prompt, endTokens ?? []);

    /// <summary>The request's options.</summary>
    public SamplingOptions Options { get; private set; } = new();

    /// <summary>The model's end tokens, which may not come before <see cref="SamplingOptions.MinTokens"/>.</summary>
    public IReadOnlyCollection<int> EndTokens { get; private set; } = [];

    /// <summary>Tokens chosen so far.</summary>
    public int OutputTokens { get; private set; }

    /// <summary>How often each token is in the output; empty where no penalty asks.</summary>
    public Dictionary<int, int> OutputCounts => outputCounts;

    /// <summary>Tokens in the prompt or the output; empty where no penalty asks.</summary>
    public HashSet<int> Seen => seen;

    /// <summary>Forgets what was and starts a request.</summary>
    public void Begin(SamplingOptions options, ReadOnlySpan<int> prompt, IReadOnlyCollection<int> endTokens)
    {
        (Options, EndTokens, OutputTokens) = (options, endTokens, 0);
        outputCounts.Clear();
        seen.Clear();
        countsOutput = options.FrequencyPenalty != 0 || options.PresencePenalty != 0;
        countsSeen = options.RepetitionPenalty != 1;
        if (countsSeen) foreach (var id in prompt) seen.Add(id);
        random = (ulong)(options.Seed ?? Random.Shared.NextInt64());
    }

    /// <summary>Takes note of a chosen token.</summary>
    public void Accept(int token)
    {
        OutputTokens++;
        if (countsOutput) CollectionsMarshal.GetValueRefOrAddDefault(outputCounts, token, out _)++;
        if (countsSeen) seen.Add(token);
    }

    /// <summary>A draw from the exponential distribution with mean 1, never 0. The generator is SplitMix64, the same on every machine.</summary>
    public double NextExponential()
    {
        random += 0x9E3779B97F4A7C15;
        var z = random;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return -Math.Log(((z >> 11) + 0.5) * (1.0 / (1ul << 53)));
    }
}
