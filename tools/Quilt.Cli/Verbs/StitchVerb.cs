using System.CommandLine;
using Quilt.Quantizer.Stitching;

namespace Quilt.Cli.Verbs;

/// <summary><c>stitch OFFICIAL AWQ OUT</c>: one checkpoint with the attention of one and the experts of another.</summary>
internal static class StitchVerb
{
    public static Command Create()
    {
        var official = new Argument<string>("OFFICIAL") { Description = "Checkpoint folder in the official FP8 form." };
        var awq = new Argument<string>("AWQ") { Description = "Checkpoint folder whose experts were quantized with AWQ." };
        var output = new Argument<string>("OUT") { Description = "Folder to write; it must not exist or be empty." };
        var repair = new Option<bool>("--repair-router")
        { Description = "Multiply routers with what the norm in front of them was divided by; the published rule does not." };
        var command = new Command("stitch", "Makes one checkpoint out of two: FP8 attention from the one, packed experts from the other.")
        { official, awq, output, repair };

        command.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetValue(output)!;
            // Its own thread: the copying is one long piece of work.
            var result = await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(
                () => Stitcher.Run(parsed.GetValue(official)!, parsed.GetValue(awq)!, folder, parsed.GetValue(repair), progress, cancel),
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            foreach (var warning in result.Warnings) Console.Error.WriteLine($"quilt: warning: {warning}");
            foreach (var (layer, ratio) in result.Layers.Index())
                Console.Error.WriteLine($"layer {layer}: {ratio}");
            Console.Error.WriteLine(FormattableString.Invariant($"{result.Tensors} tensors, {result.Bytes / 1e9:0.00} GB"));
            Console.Out.WriteLine(Path.GetFullPath(folder));
            return 0;
        });
        return command;
    }
}
