using System.CommandLine;
using System.Diagnostics;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer;
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
            // Its own thread: it is one long computation.
            await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(() => Run(source, target, plan, count, progress, cancel),
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default), "quantizing");
            Console.Error.WriteLine(FormattableString.Invariant($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
            Console.Out.WriteLine(Path.GetFullPath(target));
            return 0;
        });
        return command;
    }

    private static bool Run(string model, string output, Recipe recipe, int threads, IProgress<Runtime.LoadProgress>? progress, CancellationToken cancel)
    {
        if (recipe.Smoothing is not null)
            throw new BadInputException(recipe.Origin, "AWQModifier", "expected data to measure inputs with, --calibration or --tokens, found none");
        using var source = Checkpoint.OpenHeaders(model);
        foreach (var warning in Quantizing.Run(source, output, recipe, threads, progress, cancel)) Console.Error.WriteLine($"quilt: warning: {warning}");
        return true;
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
