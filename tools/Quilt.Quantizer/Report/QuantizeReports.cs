using System.Runtime.InteropServices;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Calibration;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Report;

/// <summary>Puts a report together from what a run left.</summary>
internal static class QuantizeReports
{
    /// <summary>The report of a run.</summary>
    /// <param name="source">What was quantized.</param>
    /// <param name="output">The folder that was written.</param>
    /// <param name="recipe">By what rules.</param>
    /// <param name="options">What else was asked for.</param>
    /// <param name="settings">How inputs were measured; null: they were not.</param>
    /// <param name="samples">Where the samples are from; null: they came as token ids, or there were none.</param>
    /// <param name="layers">What is told of the layers.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="peak">Most memory that it held at once.</param>
    /// <param name="clock">Tells the date.</param>
    public static QuantizeReport Of(Checkpoint source, string output, Recipe recipe, IReadOnlyList<OptionReport> options,
        CalibrationSettings? settings, CalibrationSamples? samples, IReadOnlyList<LayerReport> layers, double seconds, long peak, TimeProvider clock)
    {
        using var written = Checkpoint.OpenHeaders(output);
        return new()
        {
            Model = source.Folder,
            Output = written.Folder,
            Recipe = new(RecipePresets.All.Any(preset => preset.Name == recipe.Origin)
                ? recipe.Origin
                : null, recipe.Text, settings?.Match?.Name, options),
            Date = clock.GetLocalNow(),
            Machine = FormattableString.Invariant(
                $"{Environment.ProcessorCount} cores, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.OSDescription}"),
            Seconds = seconds,
            PeakMemoryBytes = peak,
            Calibration = settings is null ? null : Calibrated(settings, samples),
            Layers = layers,
            Sizes = CheckpointSizes.Compare(source, written),
            Warnings = [.. written.Warnings],
        };
    }

    private static CalibrationReport Calibrated(CalibrationSettings settings, CalibrationSamples? samples) => new(
        settings.Samples.Count, settings.Samples.Sum(sample => (long)sample.Length),
        [.. samples?.Coverage.Datasets.Select(dataset => new DatasetReport(dataset.Entry.Name, dataset.Rows, dataset.Tokens)) ?? []],
        Languages(samples?.Coverage.Spoken), Languages(samples?.Coverage.Programming),
        [.. samples?.Warnings ?? [], .. samples?.Missing.Select(entry => $"{entry.Name}: its data is not there") ?? []]);

    private static IReadOnlyList<LanguageReport> Languages(IReadOnlyDictionary<string, int>? found) =>
        [.. found?.Select(language => new LanguageReport(language.Key, language.Value)) ?? []];
}
