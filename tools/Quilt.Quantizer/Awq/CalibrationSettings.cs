using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Report;

namespace Quilt.Quantizer.Awq;

/// <summary>How inputs are measured and scales are chosen.</summary>
internal sealed record CalibrationSettings
{
    /// <summary>Token ids of each sample.</summary>
    public required IReadOnlyList<int[]> Samples { get; init; }

    /// <summary>The release of llm-compressor whose numbers are wanted; null: less error instead.</summary>
    public MatchVersion? Match { get; init; }

    /// <summary>In a match, whether experts see the tokens that are routed to them only.</summary>
    public bool Routed { get; init; }

    /// <summary>In a match, in what type the model computes; null: float32 where its weights are, else bfloat16.</summary>
    public Precision? Precision { get; init; }

    /// <summary>In a match, a file with <c>layers.L.moe_input</c> to be taken instead of what the layers below give; null: none.</summary>
    public string? MoeInput { get; init; }

    /// <summary>Bytes of memory that the run is to stay within.</summary>
    public long Memory { get; init; } = 16L << 30;

    /// <summary>Threads of the CPU.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>How far a run is.</summary>
/// <param name="Layer">Which layer is at work.</param>
/// <param name="Layers">How many there are.</param>
/// <param name="Share">How much of it is done, 0 to 1.</param>
/// <param name="Left">How long the rest will take; null: not known yet.</param>
internal sealed record LayerProgress(int Layer, int Layers, double Share, TimeSpan? Left);

/// <summary>What came of a run.</summary>
/// <param name="Layers">What is told of each layer that was calibrated.</param>
/// <param name="Mappings">In a match, how the scales of each mapping were found.</param>
/// <param name="Warnings">What a loader will not understand, in words.</param>
internal sealed record CalibrationOutcome(
    IReadOnlyList<LayerReport> Layers, IReadOnlyList<SmoothingResult> Mappings, IReadOnlyList<string> Warnings);
