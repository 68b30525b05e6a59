using System.Text.RegularExpressions;
using System.Text.Json;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>
/// A recorded case: a model's output and what it says. Its kind and its policy choose the parser; everything that is not declared is the parser's
/// default.
/// </summary>
internal sealed class ReplyCase(JsonElement json)
{
    public JsonElement Expected { get; } = json.GetProperty("expected");

    public string Kind { get; } = Text(json, "kind")!;

    public string Output { get; } = Text(json, "model_output") ?? "";

    /// <summary>Whether the stream ends where the text does.</summary>
    public bool IsFinal { get; } = !json.TryGetProperty("final", out var final) || final.GetBoolean();

    /// <summary>Whether texts are compared without the white space around them.</summary>
    public bool Trims { get; } = Text(json, "compare") == "trim";

    /// <summary>
    /// Whether the expectation is a fork's that rewrites text (it takes white space out of paths). Such rewriting is not offered: text is passed on
    /// as the model wrote it, and is compared without any white space.
    /// </summary>
    public bool IsRewrittenByAFork { get; } = Text(json, "status")?.StartsWith("fork-only", StringComparison.Ordinal) == true;

    /// <summary>The pieces as they were recorded; null where none were.</summary>
    public IReadOnlyList<Piece>? Chunks { get; } = json.TryGetProperty("chunks", out var chunks)
        ? [.. chunks.EnumerateArray().Select(Piece.Read)]
        : null;

    /// <summary>Sizes into which the text is to be cut.</summary>
    public int[] ChunkSizes { get; } = json.TryGetProperty("chunk_sizes_in_tokens", out var sizes)
        ? [.. sizes.EnumerateArray().Select(s => s.GetInt32())]
        : [1, 2, 3, 7];

    /// <summary>How the model writes: MiniMax's way where the case does not say.</summary>
    public string Dialect { get; } = Text(json, "dialect")
        ?? (Text(json, "kind")!.StartsWith("append_think", StringComparison.Ordinal) ? "minimax_m2_append_think" : "minimax_m2");

    public ReplyParser CreateParser() => ReplyParser.Create(Dialect, Options());

    private ReplyOptions Options()
    {
        // MiniMax's template opens thinking; the tool parsers' cases are about what comes behind it.
        var options = new ReplyOptions
        {
            Tools = json.TryGetProperty("tools", out var tools) ? tools : null,
            StartsThinking = json.TryGetProperty("starts_thinking", out var starts)
                ? starts.GetBoolean()
                : Text(json, "reasoning_format") != "none" && Kind != "reply" && !Kind.StartsWith("tool_parser", StringComparison.Ordinal),
            ThinkingAsText = Text(json, "reasoning_format") == "none",
            MarkerIds = json.TryGetProperty("vocab", out var vocab)
                ? vocab.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32())
                : null,
        };
        // What stands in parentheses is an explanation.
        foreach (var policy in Regex.Replace(Text(json, "policy")
            ?? "", @"\([^)]*\)", "").Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            options = Apply(options, policy.Split(' ')[0]);
        }
        return options;
    }

    private static ReplyOptions Apply(ReplyOptions options, string policy) => policy switch
    {
        "unknown_tool=drop" => options with { UndeclaredTools = UndeclaredTools.Drop },
        "unknown_tool=forward" => options with { UndeclaredTools = UndeclaredTools.Forward },
        "trailing_text=drop" => options with { TextAfterCalls = TextAfterCalls.Drop },
        "trailing_text=keep" => options with { TextAfterCalls = TextAfterCalls.Keep },
        "incomplete=text" => options with { UnfinishedCalls = UnfinishedCalls.AsText },
        "malformed=text" => options with { MalformedCalls = MalformedCalls.AsText },
        "malformed=drop" => options with { MalformedCalls = MalformedCalls.Drop },
        "no_schema=infer" => options with { Arguments = options.Arguments with { InferWithoutSchema = true } },
        "no_schema=string" => options with { Arguments = options.Arguments with { InferWithoutSchema = false } },
        "xml_entities=decode" => options with { Arguments = options.Arguments with { DecodeEntities = true } },
        "xml_entities=keep" => options with { Arguments = options.Arguments with { DecodeEntities = false } },
        "strip=newlines-only" => options with { Arguments = options.Arguments with { TrimNewlinesOnly = true } },
        "strip=all" => options with { Arguments = options.Arguments with { TrimNewlinesOnly = false } },
        "null_in_string=keep" => options with { Arguments = options.Arguments with { NullAlways = false } },
        "null_in_string=null" => options with { Arguments = options.Arguments with { NullAlways = true } },
        "vllm_legacy" => options with { Arguments = options.Arguments with { LegacyWords = true } },
        _ => throw new AssertionException($"The case declares the policy '{policy}', which this fixture does not know."),
    };

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
}

/// <summary>A piece of a stream: text, and the token behind it where the case tells.</summary>
internal readonly record struct Piece(string Text, int? Id)
{
    public static Piece Read(JsonElement json) => json.ValueKind == JsonValueKind.String
        ? new(json.GetString()!, null)
        : new(json.GetProperty("text").GetString()!, json.TryGetProperty("token_ids", out var ids) && ids.GetArrayLength() == 1
            ? ids[0].GetInt32()
            : null);
}
