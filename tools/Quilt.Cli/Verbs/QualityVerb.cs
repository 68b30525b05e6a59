using System.CommandLine;
using System.Text.Json;
using Quilt.Quantizer.Quality;
using Spectre.Console;

namespace Quilt.Cli.Verbs;

/// <summary><c>quality MODEL --against OFFICIAL</c>: how far a model's answers are from those of the model it was made from.</summary>
internal static class QualityVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "Checkpoint folder." };
        var official = new Option<string>("--against")
        { Description = "Checkpoint folder of the model it was made from.", HelpName = "OFFICIAL", Required = true };
        var text = new Option<string>("--text") { Description = "Text to compare on, in UTF-8; by default a short built-in one.", HelpName = "FILE" };
        var tokens = new Option<string>("--tokens")
        { Description = "Tokens to compare on: {\"samples\": [[ids], ...]}.", HelpName = "FILE.json" };
        var most = TypedOption.Whole("--max-tokens", "Most tokens to compare on, the first ones; by default all.");
        var layers = new Option<bool>("--layers") { Description = "Print the figures of each layer too; JSON always has them." };
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("quality",
            "Measures a model against the one it was made from: divergence, agreement, perplexity, routers. Neither needs to fit in memory.")
        { model, official, text, tokens, most, layers, json };
        var running = new ModelOptions();
        running.AddPrecisionTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            var input = Input(parsed.GetValue(text), parsed.GetValue(tokens), parsed.GetValue(most));
            var options = running.Read(parsed);
            // Its own thread: it is one long computation.
            var result = await LoadingBar.ShowAsync(progress => Usage.OfAsync(() => Task.Factory.StartNew(
                () => QualityComparison.Run(parsed.GetValue(model)!, parsed.GetValue(official)!, input, options, progress, cancel),
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            if (parsed.GetValue(json))
            {
                JsonOutput.Print(writer => JsonSerializer.Serialize(writer, result, QualityJson.Default.QualityResult));
                return 0;
            }
            foreach (var warning in result.Warnings) Failures.Print($"warning: {warning}");
            Print(result);
            if (parsed.GetValue(layers)) AnsiConsole.Write(LayerTable(result));
            return 0;
        });
        return command;
    }

    private static QualityInput Input(string? text, string? tokens, int? most)
    {
        if (text is not null && tokens is not null) throw new UsageException("--text and --tokens: expected one of them, found both");
        if (most <= 0) throw new UsageException($"--max-tokens: expected at least 1, found {most}");
        return text is not null ? QualityInput.FromText(text, most)
            : tokens is not null ? QualityInput.FromTokens(tokens, most)
            : QualityInput.Default(most);
    }

    private static void Print(QualityResult result)
    {
        Line("compared on", $"{result.Tokens} tokens, {result.Samples} {(result.Samples == 1 ? "sample" : "samples")}");
        Line("divergence", $"{result.Kl.Mean:0.000000} nats a token; median {result.Kl.Median:0.000000}, p99 {result.Kl.P99:0.0000}, " +
            $"worst {result.Kl.Max:0.0000}");
        Line("same top 1", $"{result.Top1Agreement:0.00%} of tokens");
        Line("probability", $"{result.Top1Probability.Model:0.0000} of the official top 1, which there has {result.Top1Probability.Official:0.0000}");
        if (result.Perplexity is { } perplexity) Line("perplexity", $"{perplexity.Model:0.0000}, official {perplexity.Official:0.0000}");
        if (result.Router is not { } router) return;
        Line("routers", $"{router.WholeModel.Overlap:0.00%} of experts the same, {router.WholeModel.SameSet:0.00%} of tokens with all the same");
        Line("on the same", $"{router.SameInput.Overlap:0.00%} of experts the same, {router.SameInput.SameSet:0.00%} of tokens with all the same");
    }

    private static Table LayerTable(QualityResult result)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("layer", "stream error", "experts the same", "all the same", "on the same input", "all the same");
        for (var column = 0; column < table.Columns.Count; column++) table.Columns[column].RightAligned();
        foreach (var layer in result.Layers)
        {
            table.AddRow($"{layer.Layer}", $"{layer.StreamError:0.00000}", Share(layer.Router?.WholeModel.Overlap),
                Share(layer.Router?.WholeModel.SameSet), Share(layer.Router?.SameInput.Overlap), Share(layer.Router?.SameInput.SameSet));
        }
        return table;

        static string Share(double? share) => share is { } known ? $"{known:0.00%}" : "";
    }

    private static void Line(string what, string value) => Console.Out.WriteLine($"{what,-13} {value}");
}
