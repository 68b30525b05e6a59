using System.CommandLine;
using Quilt.Quantizer.Verifying;

namespace Quilt.Cli.Verbs;

/// <summary><c>verify MODEL</c>: what is wrong with a checkpoint, one line a check; exit code 1 where one fails.</summary>
internal static class VerifyVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "Checkpoint folder.", DefaultValueFactory = _ => DemoModel.Folder };
        var official = new Option<string?>("--against")
        { Description = "Checkpoint folder of what it was made of; without it some checks are skipped.", HelpName = "OFFICIAL" };
        var tokens = new Option<string[]>("--tokens")
        { Description = "Token ids of a prompt on which both are run, in the place of some texts; may be given several times.", HelpName = "IDS" };
        var weights = new Option<bool>("--weights-only") { Description = "Run neither model: the weights are compared, each read once." };
        var threads = TypedOption.Whole("--threads", "CPU threads; 0: one per core.");
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("verify", "Looks for what is wrong with a checkpoint: by itself, and beside the one that it was made of.")
        { model, official, tokens, weights, threads, json };

        command.SetAction(async (parsed, cancel) =>
        {
            var options = new VerifyOptions
            {
                Prompts = parsed.GetValue(tokens) is { Length: > 0 } texts ? Array.ConvertAll(texts, text => TokenIds.Parse("--tokens", text)) : null,
                Forward = !parsed.GetValue(weights),
                Threads = parsed.GetValue(threads) is not { } count ? 0 : count is >= 0 and <= 4096 ? count
                    : throw new UsageException($"--threads: expected 0 to 4096, found {count}"),
            };
            var isJson = parsed.GetValue(json);
            // Its own thread: the reading is one long piece of work.
            var results = await Task.Factory.StartNew(
                () => Verifier.Run(parsed.GetValue(model)!, parsed.GetValue(official), options, isJson ? null : new Printer(), cancel),
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (isJson) PrintJson(results);
            return results.Any(result => result.Status == CheckStatus.Fail) ? 1 : 0;
        });
        return command;
    }

    private static void PrintJson(IReadOnlyList<CheckResult> results) => JsonOutput.Print(writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartArray("checks");
        foreach (var result in results)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", result.Id);
            writer.WriteString("name", result.Name);
            writer.WriteString("status", Word(result.Status));
            writer.WriteString("detail", result.Detail);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static string Word(CheckStatus status) => status.ToString().ToLowerInvariant();

    /// <summary>Prints each result when it is there; a large checkpoint takes a while for some.</summary>
    private sealed class Printer : IProgress<CheckResult>
    {
        public void Report(CheckResult value) => Console.Out.WriteLine($"{Word(value.Status),-7} {value.Id,2} {value.Name}: {value.Detail}");
    }
}
