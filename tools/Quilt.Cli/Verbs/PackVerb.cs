using System.CommandLine;
using System.Diagnostics;
using Quilt.Quantizer.Packing;

namespace Quilt.Cli.Verbs;

/// <summary><c>pack MODEL OUT</c>: a checkpoint that is opened by mapping it; <c>pack --check MODEL</c>: whether its files are whole.</summary>
internal static class PackVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "Checkpoint folder; with --check a packed one." };
        var output = new Argument<string?>("OUT")
        { Description = "Folder to write; it must not exist or be empty.", Arity = ArgumentArity.ZeroOrOne };
        var check = new Option<bool>("--check") { Description = "Write nothing: read a packed model whole and compare its checksums." };
        var command = new Command("pack", "Writes a model as a processor's memory holds it: it opens at once, and processes share it.")
        { model, output, check };

        command.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetValue(model)!;
            var into = parsed.GetValue(output);
            if (parsed.GetValue(check)) return into is null ? Check(folder, cancel) : throw new UsageException("--check: expected no OUT, found one");
            if (into is null) throw new UsageException("OUT: expected a folder to write, found none");
            var start = Stopwatch.GetTimestamp();
            // Its own thread: the packing is one long computation.
            var result = await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(
                () => ModelPacker.Run(folder, into, progress, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            foreach (var warning in result.Warnings) Console.Error.WriteLine($"quilt: warning: {warning}");
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.Error.WriteLine(FormattableString.Invariant($"{result.Files} files, {result.Bytes / 1e9:0.00} GB in {seconds:0.0} s"));
            Console.Out.WriteLine(Path.GetFullPath(into));
            return 0;
        });
        return command;
    }

    private static int Check(string folder, CancellationToken cancel)
    {
        var damaged = false;
        foreach (var (file, problem) in PackedFiles.Check(folder, cancel))
        {
            Console.Out.WriteLine($"{(problem is null ? "ok" : "damaged"),-8} {file}{(problem is null ? "" : $": {problem}")}");
            damaged |= problem is not null;
        }
        return damaged ? 1 : 0;
    }
}
