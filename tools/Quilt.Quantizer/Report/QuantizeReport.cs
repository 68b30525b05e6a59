using Quilt.Quantizer.Quality;

namespace Quilt.Quantizer.Report;

/// <summary>What was done to a model and how well it went: all that the page shows (<see cref="ReportPage"/>), and the JSON beside it.</summary>
internal sealed record QuantizeReport
{
    /// <summary>Name or folder of the model that was quantized.</summary>
    public required string Model { get; init; }

    /// <summary>Folder that was written.</summary>
    public required string Output { get; init; }

    /// <summary>By what rules.</summary>
    public required RecipeReport Recipe { get; init; }

    /// <summary>When, by the clock of whoever ran it.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>The machine, in words.</summary>
    public required string Machine { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Most memory that it held at once.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>What it was calibrated on; null: nothing.</summary>
    public CalibrationReport? Calibration { get; init; }

    /// <summary>Layer by layer.</summary>
    public IReadOnlyList<LayerReport> Layers { get; init; } = [];

    /// <summary>What it weighs.</summary>
    public required SizeReport Sizes { get; init; }

    /// <summary>The result measured against the original; null: it was not.</summary>
    public QualityResult? Quality { get; init; }

    /// <summary>The checks of the result; null: there were none.</summary>
    public IReadOnlyList<CheckReport>? Checks { get; init; }

    /// <summary>What looked wrong on the way.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>By what rules a model was quantized.</summary>
/// <param name="Preset">The recipe's name among the presets; null: it came as a text.</param>
/// <param name="Text">The recipe as it was read; null: unknown.</param>
/// <param name="Match">The version of llm-compressor whose numbers were to be met to the bit; null: none.</param>
/// <param name="Options">What else was asked for.</param>
internal sealed record RecipeReport(string? Preset, string? Text, string? Match, IReadOnlyList<OptionReport> Options);

/// <summary>An option as it was given.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
internal sealed record OptionReport(string Name, string Value);

/// <summary>What a model was calibrated on.</summary>
/// <param name="Samples">Texts.</param>
/// <param name="Tokens">Tokens of all of them.</param>
/// <param name="Datasets">Where they are from.</param>
/// <param name="SpokenLanguages">Languages found in them.</param>
/// <param name="ProgrammingLanguages">Programming languages found in them.</param>
/// <param name="Warnings">What looked wrong with them.</param>
internal sealed record CalibrationReport(int Samples, long Tokens, IReadOnlyList<DatasetReport> Datasets,
    IReadOnlyList<LanguageReport> SpokenLanguages, IReadOnlyList<LanguageReport> ProgrammingLanguages, IReadOnlyList<string> Warnings);

/// <summary>One source of samples.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Rows">Samples that are from it.</param>
/// <param name="Tokens">Their tokens.</param>
internal sealed record DatasetReport(string Name, int Rows, long Tokens);

/// <summary>A language that was found.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Samples">Samples that have some of it.</param>
internal sealed record LanguageReport(string Name, int Samples);

/// <summary>One layer. What does not apply, or was not measured, is null or empty.</summary>
/// <param name="Layer">Its number.</param>
internal sealed record LayerReport(int Layer)
{
    /// <summary>‖quantized − original‖ / ‖original‖ of what its feed-forward adds to the stream.</summary>
    public BeforeAfter? Error { get; init; }

    /// <summary>How alike its router chooses to the original model's, as it was written.</summary>
    public Agreement? Router { get; init; }

    /// <summary>Ratios chosen for the mapping that begins at its norm: one, or several where parts were scaled on their own.</summary>
    public IReadOnlyList<double> Ratios { get; init; } = [];

    /// <summary>The largest |log₂ s| of the scales that its norm was divided by.</summary>
    public double? MaxLog2Scale { get; init; }

    /// <summary>The median |log₂ s| of them.</summary>
    public double? MedianLog2Scale { get; init; }

    /// <summary>Its experts, in order; none in a dense layer.</summary>
    public IReadOnlyList<ExpertReport> Experts { get; init; } = [];
}

/// <summary>A relative error, ‖quantized − original‖ / ‖original‖.</summary>
/// <param name="Before">With the weights rounded as they were.</param>
/// <param name="After">With the weights as they were written.</param>
internal sealed record BeforeAfter(double Before, double After);

/// <summary>One expert.</summary>
/// <param name="Error">Of its own output; null where it saw no tokens.</param>
/// <param name="Ratio">Chosen for the mapping from up to down projection (w3 to w2); null: none.</param>
/// <param name="Tokens">Tokens of the calibration that the router sent to it; null: there was none.</param>
internal sealed record ExpertReport(BeforeAfter? Error, double? Ratio, long? Tokens);

/// <summary>One check of the written checkpoint.</summary>
/// <param name="Id">Its short name.</param>
/// <param name="Name">What is checked.</param>
/// <param name="Status"><c>ok</c>, <c>warn</c>, <c>fail</c> or <c>skipped</c>.</param>
/// <param name="Detail">What was found.</param>
internal sealed record CheckReport(string Id, string Name, string Status, string Detail);
