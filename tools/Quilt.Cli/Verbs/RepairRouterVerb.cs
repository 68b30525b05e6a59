using System.CommandLine;
using System.Text.Json;
using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Repair;
using Quilt.Quantizer.Verifying.Forward;

namespace Quilt.Cli.Verbs;

/// <summary><c>repair-router OFFICIAL PUBLISHED OUT</c>: the published checkpoint with its routers mended.</summary>
internal static class RepairRouterVerb
{
    public static Command Create()
    {
        var official = new Argument<string>("OFFICIAL") { Description = "Checkpoint folder of the model before its experts were quantized." };
        var published = new Argument<string>("PUBLISHED") { Description = "Checkpoint folder whose routers are mended." };
        var output = new Argument<string>("OUT") { Description = "Folder to write; it must not exist or be empty." };
        var copy = new Option<bool>("--copy") { Description = "Copy files that stay the same; without it they are linked." };
        var tokens = new Option<string?>("--tokens")
        { Description = "Token ids, e.g. 1,2,3: run the models on them and show how far routers agree, before and after.", HelpName = "IDS" };
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("repair-router",
            "Multiplies routers with what AWQ divided the norm in front of them by. Where there is nothing to mend OUT is the published checkpoint.")
        { official, published, output, copy, tokens, json };

        command.SetAction(async (parsed, cancel) =>
        {
            var ids = parsed.GetValue(tokens) is { } text ? TokenIds.Parse("--tokens", text) : null;
            var (from, folder) = (parsed.GetValue(published)!, parsed.GetValue(output)!);
            // Its own thread: the copying is one long piece of work.
            var (result, models) = await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(
                () =>
                {
                    if (ids is not null) RepairComparison.Check(from, ids);
                    var done = RouterRepairer.Run(parsed.GetValue(official)!, from, folder, parsed.GetValue(copy), progress, cancel);
                    return (done, ids is null ? default : RepairComparison.Run(parsed.GetValue(official)!, from, folder, ids, cancel));
                },
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            foreach (var warning in result.Warnings) Console.Error.WriteLine($"quilt: warning: {warning}");
            if (parsed.GetValue(json)) PrintJson(folder, result, models.Before, models.After);
            else Print(folder, result, models.Before, models.After);
            return 0;
        });
        return command;
    }

    private static void Print(string folder, RepairResult result, ModelComparison? before, ModelComparison? after)
    {
        foreach (var (layer, router) in result.Layers)
        {
            var ratio = router.Ratio;
            Console.Error.WriteLine($"layer {layer}: {ratio}, {Word(router.State)}{Agreement(before, after, layer)}");
        }
        if (before is not null && after is not null)
            Console.Error.WriteLine(FormattableString.Invariant(
                $"next tokens like the official model's: {before.SameChoice:0.0%} before, {after.SameChoice:0.0%} after; ") +
                FormattableString.Invariant($"divergence {before.MeanDivergence:0.000} and {after.MeanDivergence:0.000} nats"));
        Console.Error.WriteLine(result.Repaired == 0
            ? "nothing to mend: OUT is the published checkpoint"
            : $"{result.Repaired} routers mended, {result.FilesLinked} files linked, " +
                FormattableString.Invariant($"{result.FilesWritten} written ({result.BytesWritten / 1e9:0.00} GB)"));
        Console.Out.WriteLine(Path.GetFullPath(folder));
    }

    private static string Agreement(ModelComparison? before, ModelComparison? after, int layer)
    {
        if (before?.Layers[layer] is not { SameInput: { } old, WholeModel: { } oldWhole }) return "";
        if (after?.Layers[layer] is not { SameInput: { } now, WholeModel: { } nowWhole }) return "";
        return FormattableString.Invariant($"; experts like the official model's: {old.Overlap:0.0%} before, {now.Overlap:0.0%} after on its ") +
            FormattableString.Invariant($"input, {oldWhole.Overlap:0.0%} and {nowWhole.Overlap:0.0%} in the whole model");
    }

    private static void PrintJson(string folder, RepairResult result, ModelComparison? before, ModelComparison? after) => JsonOutput.Print(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("out", Path.GetFullPath(folder));
        writer.WriteNumber("repaired", result.Repaired);
        writer.WriteNumber("files_written", result.FilesWritten);
        writer.WriteNumber("files_linked", result.FilesLinked);
        writer.WriteNumber("bytes_written", result.BytesWritten);
        writer.WriteStartArray("layers");
        foreach (var (layer, router) in result.Layers)
        {
            writer.WriteStartObject();
            writer.WriteNumber("layer", layer);
            writer.WriteString("router", Word(router.State));
            writer.WriteNumber("max_abs_log2_s", router.Ratio.MaxAbsLog2);
            writer.WriteNumber("median_abs_log2_s", router.Ratio.MedianAbsLog2);
            writer.WriteNumber("geometric_mid_s", router.Ratio.GeometricMid);
            if (before is not null && after is not null)
            {
                Write(writer, "same_input", before.Layers[layer].SameInput!, after.Layers[layer].SameInput!);
                Write(writer, "whole_model", before.Layers[layer].WholeModel!, after.Layers[layer].WholeModel!);
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        if (before is not null && after is not null)
        {
            writer.WriteStartObject("logits_vs_official");
            Write(writer, "published", before);
            Write(writer, "repaired", after);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter writer, string name, Agreement before, Agreement after)
    {
        writer.WriteStartObject(name);
        foreach (var (tag, agreement) in new[] { ("published", before), ("repaired", after) })
        {
            writer.WriteStartObject(tag);
            writer.WriteNumber("overlap", agreement.Overlap);
            writer.WriteNumber("same_set", agreement.SameSet);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, ModelComparison comparison)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("mean_kl", comparison.MeanDivergence);
        writer.WriteNumber("same_argmax", comparison.SameChoice);
        writer.WriteEndObject();
    }

    private static string Word(RouterState state) => state switch
    {
        RouterState.Uncompensated => "mended",
        RouterState.Compensated => "right already",
        _ => "nothing was smoothed",
    };
}
