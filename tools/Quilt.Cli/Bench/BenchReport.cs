using System.Globalization;
using System.Text.Json;
using static System.FormattableString;

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
        Line($"limits    {machine.Description}");
        foreach (var limit in machine.Limits) Line(Text(limit, machine));
        foreach (var p in result.Prefill)
        {
            Line($"prefill   {p.Tokens,6} tokens {Text(p.TokensPerSecond)}   {p.Operations,7:0} GOP/s   {Share(p.Share)} of " +
                machine.ProductsName);
        }
        foreach (var c in result.Cached)
        {
            Line($"cached    {c.Tokens,6} tokens {c.TokensPerSecond,10:0} tok/s   " +
                $"({c.FoundPerSecond:0} tok/s to hash and find it; the last block is computed)");
        }
        foreach (var d in result.Decode)
        {
            var bounds = double.IsFinite(d.ProductsBound) ? Invariant($"{d.BytesBound:0} by bytes, {d.ProductsBound:0} by products")
                : Invariant($"{d.BytesBound:0} by bytes");
            Line($"decode    {d.Batch,6} seqs   {Text(d.TokensPerSecond)}   {d.Gigabytes,7:0.0} GB/s    {Share(d.Share)} of " +
                $"{(d.IsBoundByBytes ? machine.MemoryName : machine.ProductsName)}   (at most {bounds}; {d.StepBytes / 1e6:0} MB and " +
                $"{d.StepOperations / 1e9:0.0} GOP a step, context {d.Context}, choosing " +
                $"{d.Choosing.ToString("0.0%", CultureInfo.InvariantCulture)})");
        }
        foreach (var profile in result.Profiles) ProfileReport.Print(profile);
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
        foreach (var limit in machine.Limits)
        {
            var name = limit.Name + (limit.Unit == LimitUnit.Gigabytes ? "_gb_per_second" : "_gop_per_second");
            Number(writer, name, limit.Best);
            Number(writer, $"{name}_median", limit.Median);
        }
        writer.WriteEndObject();
        if (result.Model is not null)
        {
            Array(writer, "prefill", result.Prefill, (w, p) =>
            {
                w.WriteNumber("tokens", p.Tokens);
                Rates(w, "tokens_per_second", p.TokensPerSecond);
                Number(w, "gop_per_second", p.Operations);
                Rates(w, $"share_of_{machine.ProductsName}", p.Share);
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
                Rates(w, "tokens_per_second", d.TokensPerSecond);
                Number(w, "bytes_per_step", d.StepBytes);
                Number(w, "operations_per_step", d.StepOperations);
                Number(w, "gb_per_second", d.Gigabytes);
                Number(w, "gop_per_second", d.Operations);
                Number(w, "bytes_bound_tokens_per_second", d.BytesBound);
                Number(w, "products_bound_tokens_per_second", d.ProductsBound);
                w.WriteString("nearer_bound", d.IsBoundByBytes ? "bytes" : "products");
                Rates(w, "share_of_nearer_bound", d.Share);
                Number(w, $"share_of_{machine.MemoryName}", d.TokensPerSecond.Median / d.BytesBound);
                Number(w, "choosing_share_of_step", d.Choosing);
            });
            if (result.Profiles.Count > 0) ProfileReport.Write(writer, result.Profiles);
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

    private static void Rates(Utf8JsonWriter writer, string name, Rate rate)
    {
        Number(writer, name, rate.Median);
        Number(writer, $"{name}_best", rate.Best);
    }

    private static string Text(LimitFacts limit, MachineFacts machine)
    {
        var (unit, digits) = limit.Unit == LimitUnit.Gigabytes ? ("GB/s ", "0.0") : ("GOP/s", "0");
        // What is no limit of the machine but of our own code says what it leaves.
        var share = limit.Name == CpuLimits.KernelName
            ? $", {Percent(limit.Best / machine.Best(CpuLimits.Int8Name)).Trim()} of {CpuLimits.Int8Name}"
            : "";
        return double.IsFinite(limit.Best)
            ? $"  {limit.Name,-12} {Number(limit.Best, digits),7} {unit}   median {Number(limit.Median, digits),7}   {limit.Meaning}{share}"
            : $"  {limit.Name,-12}     n/a          {limit.Meaning}";
    }

    private static string Text(Rate rate) => Invariant($"{rate.Median,10:0.0} tok/s (best {rate.Best:0.0})");

    private static string Share(Rate share) => $"{Percent(share.Median)} (best {Percent(share.Best).Trim()})";

    private static string Percent(double share) => double.IsFinite(share) ? share.ToString("0%", CultureInfo.InvariantCulture).PadLeft(4) : " n/a";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static void Line(string text) => Console.Out.WriteLine(text);
}
