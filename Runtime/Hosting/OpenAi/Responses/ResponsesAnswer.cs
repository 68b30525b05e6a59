using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Chat.Replies;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi.Responses;

/// <summary>An answer of /v1/responses, whole: of one that comes so, and of the last event of a stream.</summary>
/// <param name="request">What was asked.</param>
/// <param name="generation">The reply as it comes.</param>
/// <param name="engine">What makes it.</param>
/// <param name="time">The clock.</param>
internal sealed class ResponsesAnswer(ResponsesRequest request, Generation generation, Engine engine, TimeProvider time)
{
    private readonly Probabilities? probabilities = request.Chat.Terms.LogProbabilities && engine.Tokenizer is not null
        ? new Probabilities(engine.Tokenizer, request.Chat.Terms.TokensAsTokenIds)
        : null;

    /// <summary>The reply's blocks.</summary>
    public ReplyBlocks Reply { get; } = new(request.Chat.Terms.ParallelToolCalls, request.Chat.Terms.LogProbabilities ? Texts(engine) : null);

    /// <summary>Nothing of the reply yet.</summary>
    public ResponseBody Begun => request.Body;

    /// <summary>The answer, once the reply is over.</summary>
    public ResponseBody Whole()
    {
        var status = Reply.Fault is not null ? "failed" : Reply.End!.Reason == FinishReason.Stop ? "completed" : "incomplete";
        var cached = request.Chat.Terms.PromptTokensDetails ? generation.Stats.CachedTokens : 0;
        var (prompt, reply) = (generation.Stats.PromptTokens, generation.Stats.GeneratedTokens);
        return request.Body with
        {
            Status = status,
            CompletedAt = status == "completed" ? time.GetUtcNow().ToUnixTimeSeconds() : null,
            Error = Reply.Fault is { } fault ? new("server_error", Failure.Of(fault).Message) : null,
            IncompleteDetails = status == "incomplete" ? new("max_output_tokens") : null,
            Output = [.. Reply.All.Select(Item)],
            Usage = new(prompt, new(cached), reply, new(generation.Stats.ThinkingTokens), prompt + reply),
        };
    }

    /// <summary>A block's id as an item.</summary>
    public static string IdOf(ReplyBlock block) => block.Kind switch
    {
        BlockKind.Thinking => $"rs_{block.Key}",
        BlockKind.Text => $"msg_{block.Key}",
        _ => $"fc_{block.Key}",
    };

    /// <summary>A block as an item of the answer.</summary>
    public ResponseItem Item(ReplyBlock block)
    {
        var status = block.IsComplete ? "completed" : "incomplete";
        return block.Kind switch
        {
            BlockKind.Thinking => new ReasoningItem(IdOf(block), [new(block.Text)],
                request.SealsThinking ? InputItems.Sealed(block.Text) : null, status),
            BlockKind.Text => new MessageItem(IdOf(block), status, [new(block.Text, Logprobs(block.Tokens))]),
            _ => new FunctionCallItem(IdOf(block), $"call_{block.Key}", block.Name, block.Text, status),
        };
    }

    /// <summary>The same before there is anything in it.</summary>
    public static ResponseItem Empty(ReplyBlock block) => block.Kind switch
    {
        BlockKind.Thinking => new ReasoningItem(IdOf(block), [], null, "in_progress"),
        BlockKind.Text => new MessageItem(IdOf(block), "in_progress", []),
        _ => new FunctionCallItem(IdOf(block), $"call_{block.Key}", block.Name, "", "in_progress"),
    };

    /// <summary>Log probabilities; none where they were not asked for.</summary>
    public IReadOnlyList<ChatToken> Logprobs(IReadOnlyList<TokenPiece>? tokens) =>
        probabilities is null || tokens is null ? [] : [.. tokens.Select(token => probabilities.Chat(token))];

    /// <summary>Keeps the answer for later, where that is wanted and it is one that can be gone on with.</summary>
    public void Keep(ResponseBody whole, ResponseStore store, string? tenant)
    {
        if (!whole.Store || whole.Status is not ("completed" or "incomplete")) return;
        var messages = (JsonArray)request.Messages.DeepClone();
        if (Message() is { } said) messages.Add(said);
        store.Add(new(whole.Id, tenant,
            JsonSerializer.SerializeToUtf8Bytes(whole, ResponsesJson.Default.ResponseBody), ChatBody.Bytes(messages).ToArray()));
    }

    // Calls that were cut off are nothing that could be answered.
    private JsonObject? Message()
    {
        var message = new JsonObject { ["role"] = "assistant" };
        if (Texts(BlockKind.Thinking) is { Length: > 0 } thinking) message["reasoning"] = thinking;
        if (Texts(BlockKind.Text) is { Length: > 0 } text) message["content"] = text;
        var calls = new JsonArray();
        foreach (var call in Reply.All.Where(block => block is { Kind: BlockKind.Call, IsComplete: true }))
        {
            calls.Add(new JsonObject
            {
                ["id"] = $"call_{call.Key}",
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Text },
            });
        }
        if (calls.Count > 0) message["tool_calls"] = calls;
        return message.Count > 1 ? message : null;
    }

    // Special tokens and the dialect's markers, special or not, are nobody's text.
    private static Func<int, bool>? Texts(Engine engine)
    {
        if (engine.Tokenizer is not { } tokenizer) return null;
        var markers = new HashSet<int>();
        foreach (var marker in engine.ReplyDialect is { } dialect ? ReplyParser.Create(dialect).Markers : [])
        {
            if (tokenizer.TryGetId(marker, out var id)) markers.Add(id);
        }
        return id => !tokenizer.IsSpecial(id) && !markers.Contains(id);
    }

    private string Texts(BlockKind kind) => string.Concat(Reply.All.Where(block => block.Kind == kind).Select(block => block.Text));
}
