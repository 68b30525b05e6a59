using System.Globalization;
using System.Text.Json;

namespace Quilt.Cli.Bench;

/// <summary>Prints a result for people, or as JSON.</summary>
internal static class BenchReport
{
    /// <summary>A short table on standard output.</summary>
    public static void Print(BenchResult result)
    {
        var machine = result.Machine;
        if (result.Model is { } model)
        {
            Line($"model     {model.Folder}, {model.WeightBytes / 1e9:0.00} GB of weights, loaded in {model.LoadSeconds:0.0} s, " +
                $"{model.ResidentBytes / 1e9:0.00} GB resident");
            Line($"runs      {machine.Description}, {model.Activations} activations, random tokens");
        }
        var products = double.IsFinite(machine.Operations)
            ? FormattableString.Invariant($", {machine.ProductsName} {machine.Operations:0} GOP/s")
            : "";
        Line($"limits    {machine.MemoryName} {machine.Gigabytes:0.0} GB/s{products} ({machine.Description})");
        foreach (var p in result.Prefill)
            Line($"prefill   {p.Tokens,6} tokens {p.TokensPerSecond,10:0.0} tok/s   {p.Operations,7:0} GOP/s   {Share(p.Share)} of " +
                $"{machine.ProductsName}");
        foreach (var c in result.Cached)
        {
            Line($"cached    {c.Tokens,6} tokens {c.TokensPerSecond,10:0} tok/s   " +
                $"({c.FoundPerSecond:0} tok/s to hash and find it; the last block is computed)");
        }
        foreach (var d in result.Decode)
        {
            Line($"decode    {d.Batch,6} seqs   {d.TokensPerSecond,10:0.0} tok/s   {d.Gigabytes,7:0.0} GB/s    {Share(d.Share)} of " +
                $"{machine.MemoryName}   ({d.StepBytes / 1e6:0} MB a step, context {d.Context}, choosing " +
                d.Choosing.ToString("0.0%", CultureInfo.InvariantCulture) + ")");
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
        var machine = result.Machine;
        writer.WriteString("device", machine.Description);
        writer.WriteStartObject("limits");
        Number(writer, $"{machine.MemoryName}_gb_per_second", machine.Gigabytes);
        Number(writer, $"{machine.ProductsName}_gop_per_second", machine.Operations);
        writer.WriteEndObject();
        if (result.Model is not null)
        {
            Array(writer, "prefill", result.Prefill, (w, p) =>
            {
                w.WriteNumber("tokens", p.Tokens);
                Number(w, "tokens_per_second", p.TokensPerSecond);
                Number(w, "gop_per_second", p.Operations);
                Number(w, $"share_of_{machine.ProductsName}", p.Share);
            });
            Array(writer, "cached", result.Cached, (w, c) =>
            {
                w.WriteNumber("tokens", c.Tokens);
                Number(w, "tokens_per_second", c.TokensPerSecond);
                Number(w, "found_tokens_per_second", c.FoundPerSecond);
            });
            Array(writer, "decode", result.Decode, (w, d) =>
            {
                w.WriteNumber("sequences", d.Batch);
                w.WriteNumber("context", d.Context);
                Number(w, "tokens_per_second", d.TokensPerSecond);
                Number(w, "bytes_per_step", d.StepBytes);
                Number(w, "gb_per_second", d.Gigabytes);
                Number(w, $"share_of_{machine.MemoryName}", d.Share);
                Number(w, "choosing_share_of_step", d.Choosing);
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

    private static string Share(double share) => double.IsFinite(share) ? share.ToString("0%", CultureInfo.InvariantCulture).PadLeft(4) : " n/a";

    private static void Line(string text) => Console.Out.WriteLine(text);
}
