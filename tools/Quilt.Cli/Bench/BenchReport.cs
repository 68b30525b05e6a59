using System.Globalization;
using System.Text.Json;

namespace Quilt.Cli.Bench;

/// <summary>Prints a result for people, or as JSON.</summary>
internal static class BenchReport
{
    /// <summary>A short table on standard output.</summary>
    public static void Print(BenchResult result)
    {
        if (result.Model is { } model)
        {
            Line($"model     {model.Folder}, {model.WeightBytes / 1e9:0.00} GB of weights, loaded in {model.LoadSeconds:0.0} s, {model.ResidentBytes / 1e9:0.00} GB resident");
            Line($"runs      {result.Machine.Threads} threads, {result.Machine.Isa}, {model.Activations} activations, random tokens");
        }
        Line($"limits    read {result.Machine.ReadGigabytes:0.0} GB/s, int8 {result.Machine.Int8Operations:0} GOP/s ({result.Machine.Threads} threads, {result.Machine.Isa})");
        foreach (var p in result.Prefill) Line($"prefill   {p.Tokens,6} tokens {p.TokensPerSecond,10:0.0} tok/s   {p.Operations,7:0} GOP/s   {p.Share,4:0%} of int8");
        foreach (var d in result.Decode)
        {
            Line($"decode    {d.Batch,6} seqs   {d.TokensPerSecond,10:0.0} tok/s   {d.Gigabytes,7:0.0} GB/s    {d.Share,4:0%} of read   ({d.StepBytes / 1e6:0} MB a step, context {d.Context})");
        }
    }

    /// <summary>One JSON document on standard output.</summary>
    public static void PrintJson(BenchResult result) => JsonOutput.Print(writer =>
    {
        writer.WriteStartObject();
        if (result.Model is { } model)
        {
            writer.WriteString("model", model.Folder);
            writer.WriteString("activations", model.Activations);
            writer.WriteNumber("weight_bytes", model.WeightBytes);
            writer.WriteNumber("load_seconds", model.LoadSeconds);
            writer.WriteNumber("resident_bytes", model.ResidentBytes);
        }
        writer.WriteNumber("threads", result.Machine.Threads);
        writer.WriteString("isa", result.Machine.Isa);
        writer.WriteStartObject("limits");
        Number(writer, "read_gb_per_second", result.Machine.ReadGigabytes);
        Number(writer, "int8_gop_per_second", result.Machine.Int8Operations);
        writer.WriteEndObject();
        if (result.Model is not null)
        {
            Array(writer, "prefill", result.Prefill, static (w, p) =>
            {
                w.WriteNumber("tokens", p.Tokens);
                Number(w, "tokens_per_second", p.TokensPerSecond);
                Number(w, "gop_per_second", p.Operations);
                Number(w, "share_of_int8", p.Share);
            });
            Array(writer, "decode", result.Decode, static (w, d) =>
            {
                w.WriteNumber("sequences", d.Batch);
                w.WriteNumber("context", d.Context);
                Number(w, "tokens_per_second", d.TokensPerSecond);
                Number(w, "bytes_per_step", d.StepBytes);
                Number(w, "gb_per_second", d.Gigabytes);
                Number(w, "share_of_read", d.Share);
            });
        }
        writer.WriteEndObject();
    });

    private static void Array<T>(Utf8JsonWriter writer, string name, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray(name);
        foreach (var item in items)
        {
            writer.WriteStartObject();
            write(writer, item);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    // JSON has no NaN: what was not measured is null.
    private static void Number(Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value)) writer.WriteNumber(name, value);
        else writer.WriteNull(name);
    }

    private static void Line(FormattableString text) => Console.Out.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
