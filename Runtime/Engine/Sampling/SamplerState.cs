namespace Quilt.Runtime.Sampling;

/// <summary>What sampling remembers of one request: its random numbers, which tokens it has seen, and what may come next.</summary>
internal sealed class SamplerState
{
    private bool countsOutput;
    private bool countsPrompt;
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

    /// <summary>The tokens that may not come before <see cref="SamplingOptions.MinTokens"/>: those that would end the output.</summary>
    public int[] EndTokens { get; private set; } = [];

    /// <summary>The tokens of <see cref="SamplingOptions.LogitBias"/>.</summary>
    public int[] BiasedTokens { get; private set; } = [];

    /// <summary>[biased tokens] what is added to their logits.</summary>
    public float[] Bias { get; private set; } = [];

    /// <summary><see cref="SamplingOptions.AllowedTokens"/>, each once, ascending; null: all.</summary>
    public int[]? Allowed { get; private set; }

    /// <summary>
    /// A bit for each token, in words of 32, least significant first: 1 where a grammar lets it come next. Words that are missing are 0; empty: there
    /// is no grammar. To be set before the step whose token it is about, and not to be changed until that is chosen.
    /// </summary>
    public ReadOnlyMemory<uint> Mask { get; set; }

    /// <summary>Ends thinking in time.</summary>
    public ThinkingLimit Thinking { get; } = new();

    /// <summary>Tokens chosen so far.</summary>
    public int OutputTokens { get; private set; }

    /// <summary>The tokens that penalties are about; empty where there is none.</summary>
    public TokenCounts Seen { get; } = new();

    /// <summary>Where its random numbers stand: who sets this draws as the one whose it was would have.</summary>
    public ulong Random
    {
        get => random;
        set => random = value;
    }

    /// <summary>Forgets what was and starts a request.</summary>
    public void Begin(SamplingOptions options, ReadOnlySpan<int> prompt, IReadOnlyCollection<int> endTokens)
    {
        (Options, OutputTokens, Mask) = (options, 0, default);
        EndTokens = options.MinTokens == 0 ? [] : [.. options.StopTokens, .. options.IgnoreEos ? [] : endTokens];
        BiasedTokens = options.LogitBias.Count == 0 ? [] : [.. options.LogitBias.Keys];
        Bias = options.LogitBias.Count == 0 ? [] : [.. options.LogitBias.Values.Select(bias => Math.Clamp(bias, -100, 100))];
        Allowed = options.AllowedTokens is { } allowed ? [.. allowed.Distinct().Order()] : null;
        Thinking.Begin(null, [], isOpen: false);
        Seen.Clear();
        countsPrompt = options.RepetitionPenalty != 1;
        countsOutput = countsPrompt || options.FrequencyPenalty != 0 || options.PresencePenalty != 0;
        if (countsPrompt) foreach (var id in prompt) Seen.Add(id, isOutput: false);
        random = (ulong)(options.Seed ?? System.Random.Shared.NextInt64());
    }

    /// <summary>Takes note of a chosen token.</summary>
    public void Accept(int token)
    {
        OutputTokens++;
        if (countsOutput) Seen.Add(token, isOutput: true);
        Thinking.Accept(token);
    }

    /// <summary>A number above 0 and at most 1, each as likely. The generator is SplitMix64, the same on every machine.</summary>
    public double NextUniform()
    {
        random += 0x9E3779B97F4A7C15;
        var z = random;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return ((z >> 11) + 0.5) * (1.0 / (1ul << 53));
    }
}
