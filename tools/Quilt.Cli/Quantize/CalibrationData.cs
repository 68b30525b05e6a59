using System.CommandLine;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Calibration;

namespace Quilt.Cli.Quantize;

/// <summary>Samples from a calibration set over a user's own data.</summary>
internal sealed class CalibrationData
{
    private readonly Option<string?> set = new("--calibration")
    {
        Description = $"Samples to measure inputs with, from a set in YAML, or one that has a name: {string.Join(", ", ReadyMadeSets.Names)}.",
        HelpName = "FILE.yaml",
    };
    private readonly Option<string?> data = new("--data") { Description = "Folder with the data of the set, JSONL or Parquet.", HelpName = "FOLDER" };

    /// <summary>Adds them to a command.</summary>
    public CalibrationData AddTo(Command command)
    {
        command.Options.Add(set);
        command.Options.Add(data);
        return this;
    }

    /// <summary>Whether a set is given.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetValue(set) is not null;

    /// <summary>Refuses options that would be of no use, or contradict others.</summary>
    /// <param name="parsed">What the user wrote.</param>
    /// <param name="measures">Whether the recipe measures inputs.</param>
    /// <param name="hasTokens">Whether samples are given as token ids.</param>
    public void Check(ParseResult parsed, bool measures, bool hasTokens)
    {
        foreach (var option in new[] { set, data })
        {
            if (!measures && parsed.GetValue(option) is not null)
                throw new UsageException($"{option.Name}: the recipe measures no inputs, expected one with AWQModifier");
        }
        if (hasTokens && IsGiven(parsed)) throw new UsageException("expected --calibration or --tokens, found both");
        if (IsGiven(parsed) != parsed.GetValue(data) is not null)
            throw new UsageException("expected --calibration and --data together, found one of them");
    }

    /// <summary>The samples as the model is to see them; what was noticed goes to standard error.</summary>
    public CalibrationSamples Load(ParseResult parsed, Checkpoint source, CancellationToken cancel)
    {
        var samples = CalibrationSet.Read(parsed.GetValue(set)!).Load(parsed.GetValue(data)!, source, null, cancel);
        foreach (var warning in samples.Warnings) Console.Error.WriteLine($"quilt: warning: {warning}");
        if (samples.Missing.Count > 0)
            Console.Error.WriteLine($"quilt: warning: no data for {string.Join(", ", samples.Missing.Select(entry => entry.Name))}");
        var (spoken, programming) = (samples.Coverage.Spoken.Count, samples.Coverage.Programming.Count);
        Console.Error.WriteLine(FormattableString.Invariant(
            $"{samples.Samples.Count} samples, {samples.Tokens} tokens; {spoken} spoken and {programming} programming languages"));
        return samples;
    }
}
