using System.CommandLine;
using System.Diagnostics;
using Quilt.Cli.Quantize;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Recipes;

namespace Quilt.Cli.Verbs;

/// <summary><c>quantize MODEL OUT --recipe FILE</c>: a smaller checkpoint.</summary>
internal static class QuantizeVerb
{
    public static Command Create()
    {
        var model = new Argument<string?>("MODEL") { Description = "Checkpoint folder.", Arity = ArgumentArity.ZeroOrOne };
        var output = new Argument<string?>("OUT")
        {
            Description = "Folder to write; it must not exist or be empty. Until it is whole, work is in OUT.partial, and starting again goes on there.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var recipe = new Option<string?>("--recipe") { Description = "What is done, in llm-compressor's YAML.", HelpName = "FILE" };
        var preset = new Option<string?>("--preset") { Description = "A recipe that has a name.", HelpName = "NAME" };
        var presets = new Option<bool>("--presets") { Description = "List the recipes that have names." };
        var threads = TypedOption.Whole("--threads", "CPU threads; 0: one per core.");
        var command = new Command("quantize", "Writes a smaller checkpoint.") { model, output, recipe, preset, presets, threads };
        var calibration = new CalibrationOptions().AddTo(command);
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
            var start = Stopwatch.GetTimestamp();
            if (plan.Smoothing is null) calibration.CheckUnused(parsed);
            var settings = plan.Smoothing is null ? null : calibration.Read(parsed, null, count);
            // Its own thread: it is one long computation.
            if (settings is null)
            {
                await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(() => Run(source, target, plan, count, progress, cancel),
                    cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default), "quantizing");
            }
            else
            {
                await Task.Factory.StartNew(() => Calibrate(source, target, plan, settings, calibration.Stats(parsed), cancel),
                    cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
            Console.Error.WriteLine(FormattableString.Invariant($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
            Console.Out.WriteLine(Path.GetFullPath(target));
            return 0;
        });
        return command;
    }

    private static bool Run(string model, string output, Recipe recipe, int threads, IProgress<Runtime.LoadProgress>? progress, CancellationToken cancel)
    {
        using var source = Checkpoint.OpenHeaders(model);
        foreach (var warning in Quantizing.Run(source, output, recipe, threads, progress, cancel)) Console.Error.WriteLine($"quilt: warning: {warning}");
        return true;
    }

    private static void Calibrate(string model, string output, Recipe recipe, CalibrationSettings settings, string? stats, CancellationToken cancel)
    {
        using var source = Checkpoint.OpenHeaders(model);
        var outcome = Calibrating.Run(source, output, recipe, settings, CalibrationPrinter.Plan, new CalibrationPrinter(), cancel);
        foreach (var warning in outcome.Warnings) Console.Error.WriteLine($"quilt: warning: {warning}");
        if (stats is not null) StatsFile.Write(stats, outcome.Mappings);
        foreach (var layer in outcome.Layers.Where(layer => layer.Error is not null))
        {
            Console.Error.WriteLine(FormattableString.Invariant(
                $"layer {layer.Layer}: error {100 * layer.Error!.Before:0.0} % rounded, {100 * layer.Error.After:0.0} % as written"));
        }
        Console.Error.WriteLine(FormattableString.Invariant(
            $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / (double)(1L << 30):0.00} GiB"));
    }

    private static Recipe Recipe(string? file, string? preset) => (file, preset) switch
    {
        ({ } path, null) => RecipeReader.Read(path),
        (null, { } name) => RecipePresets.All.Any(known => known.Name == name) ? RecipePresets.Recipe(name)
            : throw new UsageException($"--preset: expected one of {string.Join(", ", RecipePresets.All.Select(known => known.Name))}, found '{name}'"),
        _ => throw new UsageException("expected --recipe or --preset, one of them"),
    };

    private static int Threads(int asked) => asked switch
    {
        0 => Environment.ProcessorCount,
        > 0 => asked,
        _ => throw new UsageException($"--threads: expected 0 or more, found {asked}"),
    };
}
