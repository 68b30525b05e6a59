using System.Text.Json.Serialization;
using Quilt.Runtime;

namespace Quilt.Hosting.Wire;

/// <summary>Tokens of an answer.</summary>
internal sealed record Usage(int PromptTokens, int TotalTokens, int CompletionTokens)
{
    /// <summary>What of the prompt was cached; absent where the server does not tell.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PromptTokensDetails? PromptTokensDetails { get; init; }

    /// <summary>What of the reply was thinking.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CompletionTokensDetails? CompletionTokensDetails { get; init; }

    /// <summary>The usage of a prompt and its replies.</summary>
    public static Usage Of(IReadOnlyList<Generation> generations, bool tellsCached)
    {
        var first = generations[0].Stats;
        var completion = generations.Sum(generation => generation.Stats.GeneratedTokens);
        var thinking = generations.Sum(generation => generation.Stats.ThinkingTokens);
        return new(first.PromptTokens, first.PromptTokens + completion, completion)
        {
            PromptTokensDetails = tellsCached ? new(first.CachedTokens) : null,
            CompletionTokensDetails = new(thinking),
        };
    }
}

/// <summary>Tokens of the prompt that were found in the cache.</summary>
internal sealed record PromptTokensDetails(int CachedTokens);

/// <summary>Tokens of thinking.</summary>
internal sealed record CompletionTokensDetails(int ReasoningTokens);
