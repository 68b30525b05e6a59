namespace Quilt.Cli.Bench;

/// <summary>Everything one run found out. GB are 10^9 bytes, GOP 10^9 operations (a multiplication and an addition are two).</summary>
internal sealed record BenchResult(ModelFacts? Model, MachineFacts Machine, IReadOnlyList<PrefillResult> Prefill, IReadOnlyList<CachedResult> Cached,
    IReadOnlyList<DecodeResult> Decode, IReadOnlyList<ProfileResult> Profiles);

/// <summary>The model and how it ran.</summary>
internal sealed record ModelFacts(string Folder, string Activations, long WeightBytes, double LoadSeconds, long ResidentBytes);

/// <summary>The device's limits as far as they were measured.</summary>
/// <param name="Description">Which device.</param>
/// <param name="MemoryName">Which of <paramref name="Limits"/> shares of bytes are of.</param>
/// <param name="ProductsName">Which of them shares of operations are of.</param>
/// <param name="Limits">What was found.</param>
internal sealed record MachineFacts(string Description, string MemoryName, string ProductsName, IReadOnlyList<LimitFacts> Limits)
{
    /// <summary>The best of the limit of that name; NaN where it was not measured.</summary>
    public double Best(string name) => Limits.FirstOrDefault(limit => limit.Name == name)?.Best ?? double.NaN;
}

/// <summary>A limit.</summary>
/// <param name="Name">What the output calls it.</param>
/// <param name="Unit">Bytes or operations.</param>
/// <param name="Meaning">For people.</param>
/// <param name="Best">The fastest pass of the run, in 10^9 a second: what shares are of. NaN where the device cannot do it.</param>
/// <param name="Median">The pass in the middle: far below the best where the machine has other work.</param>
internal sealed record LimitFacts(string Name, LimitUnit Unit, string Meaning, double Best, double Median);

/// <summary>A rate over the repetitions.</summary>
/// <param name="Median">The repetition in the middle.</param>
/// <param name="Best">The fastest.</param>
internal readonly record struct Rate(double Median, double Best)
{
    /// <summary>The rates of repetitions.</summary>
    public static Rate Of(IReadOnlyCollection<double> rates) => new(Samples.Median(rates), rates.Count == 0 ? double.NaN : rates.Max());

    /// <summary>Both over what could be.</summary>
    public Rate Over(double limit) => new(Median / limit, Best / limit);
}

/// <summary>Reading a prompt.</summary>
/// <param name="Tokens">Its length.</param>
/// <param name="TokensPerSecond">Tokens a second.</param>
/// <param name="Operations">GOP/s in weight products, at the median.</param>
/// <param name="Share">Of the rate of products in registers.</param>
internal sealed record PrefillResult(int Tokens, Rate TokensPerSecond, double Operations, Rate Share);

/// <summary>Reading a prompt that is cached.</summary>
/// <param name="Tokens">Its length.</param>
/// <param name="FoundPerSecond">Tokens a second, hashing it and finding its blocks; median.</param>
/// <param name="TokensPerSecond">Tokens a second to the logits of its last token, whose block is computed; median.</param>
internal sealed record CachedResult(int Tokens, double FoundPerSecond, double TokensPerSecond);

/// <summary>Writing replies.</summary>
/// <param name="Batch">Sequences in a step.</param>
/// <param name="Context">Tokens each had at the start.</param>
/// <param name="TokensPerSecond">All sequences together.</param>
/// <param name="StepBytes">Bytes that a step must read at least, on average.</param>
/// <param name="StepOperations">Operations of its weight products.</param>
/// <param name="BytesBound">Tokens a second at which memory alone would give those bytes.</param>
/// <param name="ProductsBound">Tokens a second at which registers alone would make those operations; NaN where there is no such limit.</param>
/// <param name="Choosing">Time to choose the tokens, as a share of the step's.</param>
internal sealed record DecodeResult(int Batch, int Context, Rate TokensPerSecond, double StepBytes, double StepOperations, double BytesBound,
    double ProductsBound, double Choosing)
{
    /// <summary>Steps a second, at the median.</summary>
    private double Steps => TokensPerSecond.Median / Batch;

    /// <summary>GB/s at the median.</summary>
    public double Gigabytes => StepBytes * Steps / 1e9;

    /// <summary>GOP/s at the median.</summary>
    public double Operations => StepOperations * Steps / 1e9;

    /// <summary>Whether memory stands in the way before multiplying does.</summary>
    public bool IsBoundByBytes => !(ProductsBound < BytesBound);

    /// <summary>Of the nearer of the two bounds.</summary>
    public Rate Share => TokensPerSecond.Over(IsBoundByBytes ? BytesBound : ProductsBound);
}
