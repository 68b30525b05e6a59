using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Quilt.Cli.Bench.Serve;

/// <summary>Prints a result for people, or as JSON.</summary>
internal static class LoadReport
{
    private const int MostReasons = 8;

    /// <summary>A table.</summary>
    public static void Print(LoadResult result, LoadOptions options, string server, TextWriter output)
    {
        var load = options.Rate is { } rate
            ? string.Create(CultureInfo.InvariantCulture, $"{rate:0.###} requests a second (Poisson, seed {options.Seed})")
            : $"{options.Streams} at a time";
        var extra = (options.SharedPrefix > 0 ? $", {options.SharedPrefix} shared" : "") + (options.Turns > 1 ? $", {options.Turns} turns" : "");
        var good = Math.Max(1, result.Requests - result.Failures);
        Line($"server    {server}");
        Line($"load      {load}; prompts of {options.Prompt} tokens{extra}, replies of {options.Reply}");
        Line(string.Create(CultureInfo.InvariantCulture, $"requests  {result.Requests} in {result.Seconds:0.00} s, {result.Failures} failed; ") +
            string.Create(CultureInfo.InvariantCulture,
                $"{(double)result.PromptTokens / good:0.#} tokens a prompt and {(double)result.OutputTokens / good:0.#} a reply came"));
        Line(string.Create(CultureInfo.InvariantCulture,
            $"rate      {result.PromptTokensPerSecond:0.0} tok/s of prompts, {result.OutputTokensPerSecond:0.0} tok/s of replies"));
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("milliseconds");
        foreach (var name in (string[])["mean", "p50", "p90", "p99"]) table.AddColumn(new TableColumn(name).RightAligned());
        Row("time to first token", result.FirstToken);
        Row("between tokens", result.BetweenTokens);
        Row("whole reply", result.Whole);
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);

        void Line(string text) => output.WriteLine(text);
        void Row(string name, Distribution times) =>
            table.AddRow(name, Milliseconds(times.Mean), Milliseconds(times.P50), Milliseconds(times.P90), Milliseconds(times.P99));
    }

    /// <summary>The JSON document's object.</summary>
    public static void Write(LoadResult result, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("requests", result.Requests);
        writer.WriteNumber("failures", result.Failures);
        writer.WriteNumber("seconds", result.Seconds);
        writer.WriteNumber("prompt_tokens_per_second", result.PromptTokensPerSecond);
        writer.WriteNumber("output_tokens_per_second", result.OutputTokensPerSecond);
        Times("ttft", result.FirstToken);
        Times("itl", result.BetweenTokens);
        Times("e2e", result.Whole);
        writer.WriteEndObject();

        void Times(string name, Distribution times)
        {
            writer.WriteStartObject(name);
            Number("mean", times.Mean);
            Number("p50", times.P50);
            Number("p90", times.P90);
            Number("p99", times.P99);
            writer.WriteEndObject();
        }

        // JSON has no NaN: what no request was measured for is null.
        void Number(string name, double value)
        {
            if (double.IsFinite(value)) writer.WriteNumber(name, value);
            else writer.WriteNull(name);
        }
    }

    /// <summary>What failed and why, on one line; null: nothing did.</summary>
    public static string? Failed(LoadResult result)
    {
        if (result.Failures == 0) return null;
        var shown = string.Join("; ", result.Reasons.Take(MostReasons).Select(reason => $"{reason.Count} x {reason.Reason}"));
        var rest = result.Reasons.Skip(MostReasons).Sum(reason => reason.Count);
        return $"{result.Failures} of {result.Requests} requests failed: {shown}{(rest > 0 ? $"; {rest} for other reasons" : "")}";
    }

    private static string Milliseconds(double seconds) =>
        double.IsFinite(seconds) ? (seconds * 1000).ToString("0.00", CultureInfo.InvariantCulture) : "n/a";
}
