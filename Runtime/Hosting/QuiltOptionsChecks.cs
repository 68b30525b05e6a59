using Microsoft.Extensions.Options;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting;

/// <summary>Checks a host's options when it starts, before anything is loaded: all that is wrong is told at once.</summary>
internal sealed class QuiltOptionsChecks : IValidateOptions<QuiltOptions>
{
    /// <summary>The names of the model that is loaded at start.</summary>
    public static string[] NamesOf(QuiltOptions options) => [.. options.ModelNames.DefaultIfEmpty(NameOf(options.Model!))];

    public ValidateOptionsResult Validate(string? name, QuiltOptions options)
    {
        var faults = new List<string>();
        if (options.Model is null && options.Models.Count == 0) faults.Add("Model, Models: expected at least one model, found none.");
        if (options.Model is null && options.ModelNames.Count > 0) faults.Add("ModelNames: expected names of Model only, found no Model.");
        if (options.Model is { } model) CheckFolder("Model", model, faults);
        foreach (var (key, folder) in options.Models) CheckFolder($"Models[{key}]", folder, faults);
        CheckNames(options, faults);
        Try(faults, () => options.EngineOptions.Validate());
        Try(faults, () => _ = options.ModelMemory is { } memory ? ByteSize.Parse(memory, nameof(options.ModelMemory)) : 0);
        Try(faults, () => options.Sampling.Over(new SamplingOptions()).Validate(), "Sampling.");
        if (options.IdleTime <= TimeSpan.Zero) faults.Add($"IdleTime: expected more than zero, found {options.IdleTime}.");
        if (options.GenerationConfigFolder is { } other)
        {
            if (!Directory.Exists(other)) faults.Add($"GenerationConfigFolder: expected a folder, found none at '{other}'.");
            else Try(faults, () => GenerationDefaults.Read(other), "GenerationConfigFolder: ");
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void CheckFolder(string option, string? folder, List<string> faults)
    {
        if (string.IsNullOrWhiteSpace(folder)) faults.Add($"{option}: expected a checkpoint folder, found an empty text.");
        else if (!Directory.Exists(folder)) faults.Add($"{option}: expected a checkpoint folder, found none at '{folder}'.");
        else if (!File.Exists(Path.Combine(folder, ModelConfig.FileName)))
            faults.Add($"{option}: expected a checkpoint folder, found no {ModelConfig.FileName} in '{folder}'.");
    }

    private static void CheckNames(QuiltOptions options, List<string> faults)
    {
        string[] names = [.. string.IsNullOrWhiteSpace(options.Model) ? [] : NamesOf(options), .. options.Models.Keys];
        if (names.Any(string.IsNullOrWhiteSpace)) faults.Add("ModelNames, Models: expected names, found an empty one.");
        foreach (var doubled in names.GroupBy(name => name, StringComparer.Ordinal).Where(same => same.Count() > 1))
            faults.Add($"ModelNames, Models: expected names that differ, found '{doubled.Key}' {doubled.Count()} times.");
    }

    private static void Try(List<string> faults, Action check, string prefix = "")
    {
        try
        {
            check();
        }
        catch (Exception e) when (e is ArgumentException or BadInputException)
        {
            faults.Add(prefix + e.Message);
        }
    }

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
