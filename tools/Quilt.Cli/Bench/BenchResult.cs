namespace Quilt.Cli.Bench;

/// <summary>Everything one run found out. GB are 10^9 bytes, GOP 10^9 operations (a multiplication and an addition are two).</summary>
internal sealed record BenchResult(ModelFacts? Model, MachineFacts Machine, IReadOnlyList<PrefillResult> Prefill, IReadOnlyList<CachedResult> Cached,
    IReadOnlyList<DecodeResult> Decode);

/// <summary>The model and how it ran.</summary>
internal sealed record ModelFacts(string Folder, string Activations, long WeightBytes, double LoadSeconds, long ResidentBytes);

/// <summary>The device's limits: medians over the run.</summary>
/// <param name="Description">Which device.</param>
/// <param name="MemoryName">What <paramref name="Gigabytes"/> is a rate of.</param>
/// <param name="Gigabytes">GB/s.</param>
/// <param name="ProductsName">What <paramref name="Operations"/> is a rate of.</param>
/// <param name="Operations">GOP/s; NaN where there is no such unit.</param>
internal sealed record MachineFacts(string Description, string MemoryName, double Gigabytes, string ProductsName, double Operations);

/// <summary>Reading a prompt.</summary>
/// <param name="Tokens">Its length.</param>
/// <param name="TokensPerSecond">Median.</param>
/// <param name="Operations">GOP/s in weight products.</param>
/// <param name="Share">Of the rate of products measured beside it.</param>
internal sealed record PrefillResult(int Tokens, double TokensPerSecond, double Operations, double Share);

/// <summary>Reading a prompt that is cached.</summary>
/// <param name="Tokens">Its length.</param>
/// <param name="FoundPerSecond">Tokens a second, hashing it and finding its blocks; median.</param>
/// <param name="TokensPerSecond">Tokens a second to the logits of its last token, whose block is computed; median.</param>
internal sealed record CachedResult(int Tokens, double FoundPerSecond, double TokensPerSecond);

/// <summary>Writing replies.</summary>
/// <param name="Batch">Sequences in a step.</param>
/// <param name="Context">Tokens each had at the start.</param>
/// <param name="TokensPerSecond">All sequences together; median.</param>
/// <param name="StepBytes">Bytes that a step must read at least, on average.</param>
/// <param name="Gigabytes">Of those, a second.</param>
/// <param name="Share">Of the bandwidth measured beside it.</param>
/// <param name="Choosing">Time to choose the tokens, as a share of the step's.</param>
internal sealed record DecodeResult(int Batch, int Context, double TokensPerSecond, double StepBytes, double Gigabytes, double Share,
    double Choosing);
