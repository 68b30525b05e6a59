namespace Quilt.Quantizer.Calibration;

/// <summary>One text as a model is to see it.</summary>
/// <param name="Ids">Token ids, at least one.</param>
/// <param name="Entry">The dataset it is from.</param>
/// <param name="Row">The row in its split, from 1.</param>
/// <param name="IsCut">Whether it was longer.</param>
internal sealed record CalibrationSample(int[] Ids, CalibrationEntry Entry, long Row, bool IsCut);

/// <summary>A calibration set over some data, tokenized.</summary>
/// <param name="Samples">In the order they are used in.</param>
/// <param name="Missing">Entries that were passed over because their data is not there.</param>
/// <param name="Warnings">What was noticed.</param>
/// <param name="Coverage">What the samples reach.</param>
internal sealed record CalibrationSamples(
    IReadOnlyList<CalibrationSample> Samples, IReadOnlyList<CalibrationEntry> Missing, IReadOnlyList<string> Warnings, CalibrationCoverage Coverage)
{
    /// <summary>Tokens of all samples.</summary>
    public long Tokens => Samples.Sum(sample => (long)sample.Ids.Length);
}

/// <summary>How far the loading is.</summary>
/// <param name="Samples">Rows tokenized so far.</param>
/// <param name="Entry">The dataset they are read from now.</param>
internal readonly record struct CalibrationProgress(int Samples, CalibrationEntry Entry);
