using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Quilt.Hosting.OpenAi;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.Anthropic;

/// <summary>The answer of /v1/messages that comes whole, and what streams have in common with it.</summary>
internal static class MessagesAnswer
{
    private static readonly JsonElement Empty = JsonElement.Parse("{}");

    /// <summary>Lays a reply out.</summary>
    public static AnthropicMessage Of(ReplyBlocks reply, Generation generation, ReplyTerms terms) =>
        new(terms.Id, terms.Model, [.. reply.All.Select(Block)], StopReason(reply), reply.End!.StopText, Usage(generation, terms));

    /// <summary>A message of which nothing is known yet.</summary>
    public static AnthropicMessage Begun(Generation generation, ReplyTerms terms) =>
        new(terms.Id, terms.Model, [], null, null, new(generation.PromptIds.Count, 0, 0, 0, new(0)));

    /// <summary>Tokens; those found in the cache apart from the others, where the server tells.</summary>
    public static AnthropicUsage Usage(Generation generation, ReplyTerms terms)
    {
        var cached = terms.PromptTokensDetails ? generation.Stats.CachedTokens : 0;
        return new(generation.Stats.PromptTokens - cached, 0, cached, generation.Stats.GeneratedTokens, new(generation.Stats.ThinkingTokens));
    }

    /// <summary>Why a reply ended, in Anthropic's words. A reply that was cut off for any reason has a length that was too short.</summary>
    public static string StopReason(ReplyBlocks reply) => reply.End switch
    {
        { Reason: FinishReason.Stop, StopText: not null } => "stop_sequence",
        { Reason: FinishReason.Stop } => reply.HasCalls ? "tool_use" : "end_turn",
        _ => "max_tokens",
    };

    /// <summary>
    /// What comes with thinking, and goes back with it: an opaque text for clients that want one. Nothing secret is behind it, and nobody checks it.
    /// </summary>
    public static string Signature(string thinking) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(thinking)));

    private static AnthropicBlock Block(ReplyBlock block) => block.Kind switch
    {
        BlockKind.Thinking => new AnthropicThinking(block.Text, Signature(block.Text)),
        BlockKind.Text => new AnthropicText(block.Text),
        _ => new AnthropicToolUse($"toolu_{block.Key}", block.Name, Input(block.Text)),
    };

    private static JsonElement Input(string arguments)
    {
        try
        {
            return JsonElement.Parse(arguments, new() { MaxDepth = 1000 }) is { ValueKind: JsonValueKind.Object } input ? input : Empty;
        }
        catch (JsonException)
        {
            // The reply was cut off inside of them.
            return Empty;
        }
    }
}
