using Quilt.Cluster.Simulation;
using static System.FormattableString;

namespace Quilt.Cli.Simulate;

/// <summary>Prints what a simulation found, for people or as JSON.</summary>
internal static class SimulationReport
{
    /// <summary>A table with a line for each policy.</summary>
    public static void Print(IReadOnlyList<SimulationResult> results)
    {
        Console.WriteLine("policy                   hits   first token p50, p99    between tokens p50, p99   tokens/s   busy   cost/M   preempted " +
            " refused");
        foreach (var r in results)
        {
            Console.WriteLine(Invariant($"{r.Policy,-22} {r.HitRate,6:0.0%} {r.FirstToken.Half * 1000,9:0} {r.FirstToken.Most * 1000,9:0} ms ") +
                Invariant($"{r.BetweenTokens.Half * 1000,13:0.0} {r.BetweenTokens.Most * 1000,9:0.0} ms {r.TokensPerSecond,10:0} ") +
                Invariant($"{r.Utilisation,6:0.0%} {r.CostPerMillion,8:0.00} {r.Preemptions,10} {r.Refused,8}"));
        }
    }

    /// <summary>One JSON document.</summary>
    public static void PrintJson(IReadOnlyList<SimulationResult> results, int replicas) => JsonOutput.Print(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("replicas", replicas);
        writer.WriteStartArray("policies");
        foreach (var r in results)
        {
            writer.WriteStartObject();
            writer.WriteString("policy", r.Policy);
            writer.WriteNumber("requests", r.Ended);
            writer.WriteNumber("refused", r.Refused);
            writer.WriteNumber("prompt_tokens", r.PromptTokens);
            writer.WriteNumber("cached_tokens", r.CachedTokens);
            writer.WriteNumber("computed_tokens", r.ComputedTokens);
            writer.WriteNumber("reply_tokens", r.ReplyTokens);
            writer.WriteNumber("preemptions", r.Preemptions);
            Number("hit_rate", r.HitRate);
            Number("ttft_p50_seconds", r.FirstToken.Half);
            Number("ttft_p99_seconds", r.FirstToken.Most);
            Number("itl_p50_seconds", r.BetweenTokens.Half);
            Number("itl_p99_seconds", r.BetweenTokens.Most);
            Number("seconds", r.Seconds);
            Number("tokens_per_second", r.TokensPerSecond);
            Number("utilisation", r.Utilisation);
            Number("cost_per_million_tokens", r.CostPerMillion);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();

        // JSON has no NaN: where nothing was said there are no times.
        void Number(string name, double value)
        {
            if (double.IsFinite(value)) writer.WriteNumber(name, value);
            else writer.WriteNull(name);
        }
    });
}
