using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.OpenAi.Responses;

/// <summary>A request of /v1/responses, understood.</summary>
/// <param name="Chat">For the engine.</param>
/// <param name="Body">What its answer says of it.</param>
/// <param name="Messages">The conversation without the instructions, for the next to go on with; empty where it is not kept.</param>
/// <param name="SealsThinking">Whether thinking comes sealed too (include reasoning.encrypted_content).</param>
internal sealed record ResponsesRequest(ChatRequest Chat, ResponseBody Body, JsonArray Messages, bool SealsThinking)
{
    private const int MostMetadata = 16;
    private const string Sealing = "reasoning.encrypted_content";
    private const string Probabilities = "message.output_text.logprobs";
    private static readonly string[] Unbuilt = ["conversation", "prompt", "context_management"];
    private static readonly JsonElement PlainText = JsonElement.Parse("""{"format":{"type":"text"}}""");
    private static readonly JsonElement NoReasoning = JsonElement.Parse("""{"effort":null,"summary":null}""");
    private static readonly JsonElement Auto = JsonElement.Parse("\"auto\"");
    private static readonly JsonElement NoList = JsonElement.Parse("[]");
    private static readonly JsonElement NoObject = JsonElement.Parse("{}");

    /// <summary>Reads a request.</summary>
    /// <param name="body">Its fields.</param>
    /// <param name="find">A response by its id; null where there is none that the caller may go on with.</param>
    /// <param name="lease">The model it asks for.</param>
    /// <param name="server">The server.</param>
    /// <exception cref="ApiException">A field is not what it should be, or asks for what is not built.</exception>
    public static ResponsesRequest Read(Fields body, Func<string, StoredResponse?> find, ModelLease lease, QuiltServer server)
    {
        RefuseUnbuilt(body);
        var messages = Conversation(body, find);
        var included = body.Texts("include", 64) ?? [];
        var most = body.Int("max_output_tokens");
        if (most < 1) throw ApiException.Bad($"max_output_tokens: expected at least 1, found {most}.", "max_output_tokens");
        var truncation = body.Text("truncation") ?? "disabled";
        if (truncation is not ("auto" or "disabled"))
            throw ApiException.Bad($"truncation: expected auto or disabled, found {Fields.Shown(truncation)}.", "truncation");

        var chat = new ChatBody(body);
        chat["messages"] = WithInstructions(messages, body.Text("instructions"));
        chat.Copy(body, "tools");
        chat.Copy(body, "tool_choice");
        chat.Copy(body, "parallel_tool_calls");
        chat.Copy(body, "chat_template_kwargs");
        chat.Copy(body, "thinking_token_budget");
        chat.Copy(body, "stop");
        if (most is { } length) chat["max_completion_tokens"] = length;
        if (truncation == "auto") chat["truncate_prompt_tokens"] = -1;
        if (body.Object("text") is { } text) chat.Copy(text, "format", "response_format");
        if (body.Object("reasoning") is { } reasoning) chat.Copy(reasoning, "effort", "reasoning_effort");
        if (included.Contains(Probabilities))
        {
            chat["logprobs"] = true;
            chat.Copy(body, "top_logprobs");
        }
        var read = ChatRequest.Read(chat.Read(server.Options), lease, server.Options, server.DefaultsOf(lease), server.Time);
        var terms = read.Terms with { Id = $"resp_{Ids.New(24)}" };
        var answer = BodyOf(body, terms, read, truncation);
        return new(read with { Terms = terms }, answer, answer.Store ? messages : [], included.Contains(Sealing));
    }

    private static ResponseBody BodyOf(Fields body, ReplyTerms terms, ChatRequest chat, string truncation) => new()
    {
        Id = terms.Id,
        CreatedAt = terms.Created,
        Status = "in_progress",
        Instructions = body.Text("instructions"),
        MaxOutputTokens = body.Int("max_output_tokens"),
        MaxToolCalls = body.Int("max_tool_calls"),
        Metadata = Metadata(body),
        Model = terms.Model,
        ParallelToolCalls = terms.ParallelToolCalls,
        PreviousResponseId = body.Text("previous_response_id"),
        Reasoning = body.Any("reasoning") ?? NoReasoning,
        Store = body.Flag("store") ?? true,
        Temperature = chat.Generation.Sampling?.Temperature ?? 1,
        Text = body.Object("text") is { } text && text.Any("format") is not null ? text.Element : PlainText,
        ToolChoice = body.Any("tool_choice") ?? Auto,
        Tools = body.Any("tools") ?? NoList,
        TopLogprobs = body.Int("top_logprobs") ?? 0,
        TopP = chat.Generation.Sampling?.TopP ?? 1,
        Truncation = truncation,
        User = body.Text("user"),
    };

    private static void RefuseUnbuilt(Fields body)
    {
        if (body.Flag("background") == true)
            throw ApiException.Bad("background: expected false, responses in the background are not built.", "background");
        foreach (var name in Unbuilt)
        {
            if (body.Any(name) is not null) throw ApiException.Bad($"{name}: expected none, this server has no such thing.", name);
        }
        if (body.Any("tool_choice") is { ValueKind: JsonValueKind.Object } choice && new Fields(choice, "body.tool_choice").Text("type") is var type
            && type != "function")
        {
            throw ApiException.Bad($"body.tool_choice.type: expected function, found {Fields.Shown(type ?? "none")}.", "tool_choice");
        }
    }

    private static JsonArray Conversation(Fields body, Func<string, StoredResponse?> find)
    {
        var added = InputItems.Read(body);
        if (body.Text("previous_response_id") is not { } id) return added;
        var previous = find(id) ?? throw ResponseStore.NotFound(id, "previous_response_id");
        var all = JsonArray.Create(JsonElement.Parse(previous.Messages.Span, new() { MaxDepth = 2048 }))!;
        foreach (var message in added.ToArray())
        {
            added.Remove(message);
            all.Add(message);
        }
        return all;
    }

    // Templates look for one system message, at the beginning. Instructions are of this response alone; the next has its own.
    private static JsonArray WithInstructions(JsonArray messages, string? instructions)
    {
        var all = new JsonArray([.. messages.Select(message => message!.DeepClone())]);
        var parts = new JsonArray();
        if (instructions is not null) parts.Add(ChatBody.TextPart(instructions));
        while (all.Count > 0 && (string?)all[0]!["role"] == "system")
        {
            if (all[0]!["content"] is JsonArray texts)
            {
                foreach (var text in texts) parts.Add(text!.DeepClone());
            }
            else parts.Add(ChatBody.TextPart((string)all[0]!["content"]!));
            all.RemoveAt(0);
        }
        if (parts.Count > 0) all.Insert(0, new JsonObject { ["role"] = "system", ["content"] = parts });
        return all;
    }

    private static JsonElement Metadata(Fields body)
    {
        if (body.Object("metadata") is not { } metadata) return NoObject;
        var count = 0;
        foreach (var pair in metadata.Element.EnumerateObject())
        {
            if (++count > MostMetadata) throw ApiException.Bad($"metadata: expected at most {MostMetadata} pairs, found more.", "metadata");
            if (pair.Value.ValueKind != JsonValueKind.String || pair.Name.Length > 64 || pair.Value.GetString()!.Length > 512)
                throw ApiException.Bad("metadata: expected names of at most 64 characters and texts of at most 512, found others.", "metadata");
        }
        return metadata.Element;
    }
}
