namespace Quilt.Cli.Bench;

/// <summary>Everything one run found out. GB are 10^9 bytes, GOP 10^9 operations (a multiplication and an addition are two).</summary>
internal sealed record BenchResult(ModelFacts? Model, MachineFacts Machine, IReadOnlyList<PrefillResult> Prefill, IReadOnlyList<DecodeResult> Decode);

/// <summary>The model and how it ran.</summary>
internal sealed record ModelFacts(string Folder, string Activations, long WeightBytes, double LoadSeconds, long ResidentBytes);

/// <summary>The machine's limits: medians over the run.</summary>
internal sealed record MachineFacts(int Threads, string Isa, double ReadGigabytes, double Int8Operations);

/// <summary>Reading a prompt.</summary>
/// <param name="Tokens">Its length.</param>
/// <param name="TokensPerSecond">Median.</param>
/// <param name="Operations">GOP/s in weight products.</param>
/// <param name="Share">Of the int8 rate measured beside it.</param>
internal sealed record PrefillResult(int Tokens, double TokensPerSecond, double Operations, double Share);

/// <summary>Writing replies.</summary>
/// <param name="Batch">Sequences in a step.</param>
/// <param name="Context">Tokens each had at the start.</param>
/// <param name="TokensPerSecond">All sequences together; median.</param>
/// <param name="StepBytes">Bytes that a step must read at least, on average.</param>
/// <param name="Gigabytes">Of those, a second.</param>
/// <param name="Share">Of the read bandwidth measured beside it.</param>
internal sealed record DecodeResult(int Batch, int Context, double TokensPerSecond, double StepBytes, double Gigabytes, double Share);
