using Quilt.Runtime;

namespace Quilt.Cli;

/// <summary>Tokens and speed of a reply, on standard error.</summary>
internal static class Timings
{
    public static void Print(GenerationStats stats)
    {
        var line = $"prompt {stats.PromptTokens} tokens, {stats.PromptTokensPerSecond:0} tok/s · " +
            $"reply {stats.GeneratedTokens} tokens, {stats.GeneratedTokensPerSecond:0} tok/s";
        Console.Error.WriteLine(Console.IsErrorRedirected ? line : $"\e[2m{line}\e[0m");
    }
}
