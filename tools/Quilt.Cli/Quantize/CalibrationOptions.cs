using System.CommandLine;
using Quilt.Formats;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Quality;

namespace Quilt.Cli.Quantize;

/// <summary>The options of <c>quantize</c> that only matter where inputs are measured.</summary>
internal sealed class CalibrationOptions
{
    private readonly Option<string?> tokens = new("--tokens")
    { Description = "Samples to measure inputs with, as token ids: {\"samples\": [[1, 2, 3], …]}.", HelpName = "FILE.json" };
    private readonly Option<string?> match = new("--match")
    {
        Description =
            $"Find what a release of llm-compressor finds, to the bit: {string.Join(", ", MatchVersion.All.Select(version => version.Name))}.",
        HelpName = "VERSION",
    };
    private readonly Option<bool> routed = new("--routed")
    { Description = "With --match: experts see their own tokens only, as they do where that release is not told to show them all." };
    private readonly Option<string?> dtype = new("--dtype")
    { Description = "With --match: the type the model was loaded in, bfloat16 or float32; default as its weights are.", HelpName = "TYPE" };
    private readonly Option<string?> stats = new("--stats")
    { Description = "With --match: write how each mapping's scales were found.", HelpName = "FILE.safetensors" };
    private readonly Option<string?> moeInput = new("--moe-input")
    {
        Description = "With --match: take what enters the experts of layer L from layers.L.moe_input of a file, where it has that.",
        HelpName = "FILE.safetensors",
    };
    private readonly Option<double?> memory = TypedOption.Real("--memory", "GiB of memory to stay within; default 16.");

    /// <summary>Adds them to a command.</summary>
    public CalibrationOptions AddTo(Command command)
    {
        foreach (var option in new Option[] { tokens, match, routed, dtype, stats, moeInput, memory }) command.Options.Add(option);
        return this;
    }

    /// <summary>Where the statistics go; null: nowhere.</summary>
    public string? Stats(ParseResult parsed) => parsed.GetValue(stats);

    /// <summary>The settings.</summary>
    /// <param name="parsed">What the user wrote.</param>
    /// <param name="samples">Samples from elsewhere; null: those of --tokens.</param>
    /// <param name="threads">Threads of the CPU.</param>
    /// <exception cref="UsageException">Options contradict each other.</exception>
    public CalibrationSettings Read(ParseResult parsed, IReadOnlyList<int[]>? samples, int threads)
    {
        var version = Match(parsed);
        return new()
        {
            Samples = samples ?? Samples(parsed),
            Match = version,
            Routed = parsed.GetValue(routed),
            Precision = parsed.GetValue(dtype) switch
            {
                null => null,
                "bfloat16" => Precision.BFloat16,
                "float32" => Precision.Float32,
                var other => throw new UsageException($"--dtype: expected bfloat16 or float32, found '{other}'"),
            },
            MoeInput = parsed.GetValue(moeInput),
            Memory = Memory(parsed.GetValue(memory) ?? 16),
            Threads = threads,
        };
    }

    /// <summary>Whether samples are given as token ids.</summary>
    public bool HasTokens(ParseResult parsed) => parsed.GetValue(tokens) is not null;

    /// <summary>Refuses options that would be of no use.</summary>
    public void CheckUnused(ParseResult parsed)
    {
        foreach (var option in new Option[] { tokens, match, routed, dtype, stats, moeInput })
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name}: the recipe measures no inputs, expected one with AWQModifier");
        }
    }

    private MatchVersion? Match(ParseResult parsed)
    {
        if (parsed.GetValue(match) is { } name)
        {
            return MatchVersion.Find(name)
                ?? throw new UsageException(
                    $"--match: expected one of {string.Join(", ", MatchVersion.All.Select(version => version.Name))}, found '{name}'");
        }
        foreach (var option in new Option[] { routed, dtype, stats, moeInput })
        {
            if (parsed.GetResult(option) is { Implicit: false }) throw new UsageException($"{option.Name}: expected --match beside it, found none");
        }
        return null;
    }

    private IReadOnlyList<int[]> Samples(ParseResult parsed) => parsed.GetValue(tokens) is { } path
        ? TokenSamples.Read(path)
        : throw new BadInputException("quantize", null, "the recipe measures inputs: expected --calibration or --tokens, found neither");

    private static long Memory(double gib) => gib is > 0 and < 1 << 20
        ? (long)(gib * (1L << 30))
        : throw new UsageException(FormattableString.Invariant($"--memory: expected GiB of more than 0, found {gib}"));
}
