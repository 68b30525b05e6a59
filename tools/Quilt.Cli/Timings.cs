using Quilt.Runtime;

namespace Quilt.Cli;

/// <summary>What a reply cost, on standard error.</summary>
internal static class Timings
{
    /// <summary>Tokens and speed of a reply.</summary>
    public static void Print(GenerationStats stats) => Line(
        $"prompt {stats.PromptTokens} tokens{(stats.CachedTokens > 0 ? $" ({stats.CachedTokens} cached{Tiers(stats.FromTiers)})" : "")}, " +
        $"{stats.PromptTokensPerSecond:0} tok/s · " +
        $"reply {stats.GeneratedTokens} tokens, {stats.GeneratedTokensPerSecond:0} tok/s");

    /// <summary>What the engine took of the device's memory.</summary>
    public static void Print(MemoryPlan memory) => Line($"memory {memory}");

    private static string Tiers(TierTokens from) => string.Concat(
        from.Host > 0 ? $", {from.Host} from memory" : "", from.Disk > 0 ? $", {from.Disk} from disk" : "",
        from.Remote > 0 ? $", {from.Remote} from the remote server" : "");

    private static void Line(string text) => Console.Error.WriteLine(Console.IsErrorRedirected ? text : $"\e[2m{text}\e[0m");
}
