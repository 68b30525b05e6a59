namespace Quilt.Quantizer.Awq.Match;

/// <summary>In what the releases of llm-compressor differ that were followed to the bit (docs/quantization.md, "Matching llm-compressor").</summary>
/// <param name="Name">The release.</param>
/// <param name="Means">How the mean size of an input is kept over samples.</param>
/// <param name="Losses">How the error of a ratio is kept over samples.</param>
/// <param name="TriesIdentity">Whether scales of one are tried first, beside one ratio fewer.</param>
/// <param name="RoundsRouting">Whether the weights of the experts are rounded to the model's type, as transformers 4 does.</param>
internal sealed record MatchVersion(string Name, InputMeanKind Means, LossKind Losses, bool TriesIdentity, bool RoundsRouting)
{
    /// <summary>All that can be matched, oldest first.</summary>
    public static IReadOnlyList<MatchVersion> All { get; } =
    [
        new("0.9.0.4", InputMeanKind.FirstSampleAsSum, LossKind.MeanOfMeans, TriesIdentity: false, RoundsRouting: true),
        new("0.10.0.4", InputMeanKind.Running, LossKind.RoundedSum, TriesIdentity: false, RoundsRouting: true),
        new("0.14.0.1", InputMeanKind.Sum, LossKind.Sum, TriesIdentity: true, RoundsRouting: false),
    ];

    /// <summary>The release of a name; null where it is none of them.</summary>
    public static MatchVersion? Find(string name) => All.FirstOrDefault(version => version.Name == name);
}

/// <summary>How the mean size of an input, one a channel, is kept over samples.</summary>
internal enum InputMeanKind
{
    /// <summary>
    /// A running mean in the model's type whose first sample went in as a sum: it counts as many times too much as it has tokens.
    /// </summary>
    FirstSampleAsSum,

    /// <summary>A running mean in the model's type.</summary>
    Running,

    /// <summary>A float32 sum, divided once.</summary>
    Sum,
}

/// <summary>How squared errors are kept over samples; each sample's is a number of the model's type.</summary>
internal enum LossKind
{
    /// <summary>Σ of each sample's mean, in double, divided by the number of all outputs.</summary>
    MeanOfMeans,

    /// <summary>Σ of each sample's sum, in the model's type, divided by the number of all outputs.</summary>
    RoundedSum,

    /// <summary>Σ of each sample's sum, in float32, divided by the number of all outputs.</summary>
    Sum,
}
