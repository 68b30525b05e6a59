using System.CommandLine;
using System.Diagnostics;
using Quilt.Cli.Quantize;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Calibration;
using Quilt.Quantizer.Recipes;
using Quilt.Quantizer.Report;

namespace Quilt.Cli.Verbs;

/// <summary><c>quantize MODEL OUT --recipe FILE</c>: a smaller checkpoint.</summary>
internal static class QuantizeVerb
{
    public static Command Create()
    {
        var model = new Argument<string?>("MODEL") { Description = "Checkpoint folder.", Arity = ArgumentArity.ZeroOrOne };
        var output = new Argument<string?>("OUT")
        {
            Description =
                "Folder to write; it must not exist or be empty. Until it is whole, work is in OUT.partial, and starting again goes on there.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var recipe = new Option<string?>("--recipe") { Description = "What is done, in llm-compressor's YAML.", HelpName = "FILE" };
        var preset = new Option<string?>("--preset") { Description = "A recipe that has a name.", HelpName = "NAME" };
        var presets = new Option<bool>("--presets") { Description = "List the recipes that have names." };
        var report = new Option<string?>("--report")
        { Description = "Write what was done and how well it went, one page with its pictures; the same numbers beside it as .json.",
            HelpName = "FILE.html" };
        var threads = TypedOption.Whole("--threads", "CPU threads; 0: one per core.");
        var command = new Command("quantize", "Writes a smaller checkpoint.") { model, output, recipe, preset, presets };
        var data = new CalibrationData().AddTo(command);
        var calibration = new CalibrationOptions().AddTo(command);
        command.Options.Add(report);
        command.Options.Add(threads);
        preset.CompletionSources.Add([.. RecipePresets.All.Select(known => known.Name)]);

        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(presets))
            {
                foreach (var known in RecipePresets.All) Console.Out.WriteLine($"{known.Name,-16}{known.About}");
                return 0;
            }
            if (parsed.GetValue(model) is not { } source || parsed.GetValue(output) is not { } target)
                throw new UsageException("expected MODEL and OUT, the folders to read and to write");
            var plan = Recipe(parsed.GetValue(recipe), parsed.GetValue(preset));
            var count = Threads(parsed.GetValue(threads) ?? 0);
            data.Check(parsed, plan.Smoothing is not null, calibration.HasTokens(parsed));
            if (plan.Smoothing is null) calibration.CheckUnused(parsed);
            var start = Stopwatch.GetTimestamp();
            var page = parsed.GetValue(report);
            // Its own thread: it is one long computation.
            await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(
                () =>
                {
                    using var checkpoint = plan.Smoothing is not null && data.IsGiven(parsed)
                        ? Checkpoint.Open(source)
                        : Checkpoint.OpenHeaders(source);
                    var samples = data.IsGiven(parsed) ? data.Load(parsed, checkpoint, cancel) : null;
                    var settings = plan.Smoothing is null ? null
                        : calibration.Read(parsed, samples?.Samples.Select(sample => sample.Ids).ToArray(), count);
                    var layers = settings is null ? Round(checkpoint, target, plan, count, progress, cancel)
                        : Calibrate(checkpoint, target, plan, settings, calibration.Stats(parsed), cancel);
                    if (page is not null) Write(page, Of(checkpoint, layers, samples, settings));
                    return true;
                },
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default), "quantizing");
            Console.Error.WriteLine(FormattableString.Invariant(
                $"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, peak memory {Peak / (double)(1L << 30):0.00} GiB"));
            Console.Out.WriteLine(Path.GetFullPath(target));
            return 0;

            QuantizeReport Of(Checkpoint checkpoint, IReadOnlyList<LayerReport> layers, CalibrationSamples? samples, CalibrationSettings? settings) =>
                QuantizeReports.Of(checkpoint, target, plan, Options(parsed), settings, samples, layers,
                    Stopwatch.GetElapsedTime(start).TotalSeconds, Peak, TimeProvider.System);
        });
        return command;
    }

    private static long Peak => Process.GetCurrentProcess().PeakWorkingSet64;

    private static IReadOnlyList<LayerReport> Round(Checkpoint source, string output, Recipe recipe, int threads,
        IProgress<Runtime.LoadProgress>? progress, CancellationToken cancel)
    {
        foreach (var warning in Quantizing.Run(source, output, recipe, threads, progress, cancel))
            Console.Error.WriteLine($"quilt: warning: {warning}");
        return [];
    }

    private static IReadOnlyList<LayerReport> Calibrate(Checkpoint source, string output, Recipe recipe, CalibrationSettings settings, string? stats,
        CancellationToken cancel)
    {
        var outcome = Calibrating.Run(source, output, recipe, settings, CalibrationPrinter.Plan, new CalibrationPrinter(), cancel);
        foreach (var warning in outcome.Warnings) Console.Error.WriteLine($"quilt: warning: {warning}");
        if (stats is not null) StatsFile.Write(stats, outcome.Mappings);
        foreach (var layer in outcome.Layers.Where(layer => layer.Error is not null))
        {
            Console.Error.WriteLine(FormattableString.Invariant(
                $"layer {layer.Layer}: error {100 * layer.Error!.Before:0.0} % rounded, {100 * layer.Error.After:0.0} % as written"));
        }
        return outcome.Layers;
    }

    private static void Write(string path, QuantizeReport report)
    {
        AtomicFile.Write(path, stream => ReportPage.Write(report, stream));
        AtomicFile.Write(Path.ChangeExtension(path, ".json"), stream => ReportJson.Write(report, stream));
    }

    // What the user wrote, but for what the report tells anyway.
    private static IReadOnlyList<OptionReport> Options(ParseResult parsed) =>
    [
        .. parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.OptionResult>().Where(option => !option.Implicit)
            .Select(option => new OptionReport(option.Option.Name, string.Join(' ', option.Tokens.Select(token => token.Value)))),
    ];

    private static Recipe Recipe(string? file, string? preset) => (file, preset) switch
    {
        ({ } path, null) => RecipeReader.Read(path),
        (null, { } name) => RecipePresets.All.Any(known => known.Name == name) ? RecipePresets.Recipe(name)
            : throw new UsageException(
                $"--preset: expected one of {string.Join(", ", RecipePresets.All.Select(known => known.Name))}, found '{name}'"),
        _ => throw new UsageException("expected --recipe or --preset, one of them"),
    };

    private static int Threads(int asked) => asked switch
    {
        0 => Environment.ProcessorCount,
        > 0 => asked,
        _ => throw new UsageException($"--threads: expected 0 or more, found {asked}"),
    };
}
