using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Tools;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Models;

/// <summary>The grammars of a model's replies: compiled once each, kept by what they were made of. Any thread.</summary>
/// <param name="model">The model; its vocabulary is laid out for masks when the first grammar is asked for.</param>
internal sealed class ReplyForms(LoadedModel model)
{
    private readonly Lazy<GrammarCache> cache = new(() => new GrammarCache(new GrammarVocabulary(model.Tokenizer!, model.EndTokens)));

    /// <summary>What a request's replies are held to, one for each of its choices; null: nothing.</summary>
    /// <exception cref="BadInputException">It cannot be held to; the message says where.</exception>
    public Func<ReplyGrammar>? Of(GenerationRequest request)
    {
        if (FormOf(request) is not { } form) return null;
        if (model.Tokenizer is null)
            throw new BadInputException(model.Folder, "tokenizer.json", "expected a tokenizer, without which no reply has a form, found none");
        if (request.Conversation is not null && model.Dialect == "harmony" && request.Output is not null)
            throw new BadInputException("output", null,
                "expected no form: a reply of dialect harmony has several messages, and which of them it means is not known");
        var grammar = cache.Value.Get(form.Key, form.Read);
        var begin = request.Conversation is null ? -1 : model.ThinkingBegin;
        return () => new ReplyGrammar(grammar.Match(), begin);
    }

    private StructuredOutput? FormOf(GenerationRequest request)
    {
        if (request.Output is not null) return request.Output;
        if (request.Conversation?.Tools is not { } tools) return null;
        var isRequired = request.ToolChoice is not null;
        // Free text is held to nothing but the calls in it, and a dialect without any holds to that by itself.
        if (!isRequired && (!HasStrict(tools) || model.Dialect is null || CallSyntaxes.Find(model.Dialect) is null)) return null;
        var dialect = model.Dialect ?? throw new BadInputException("tools", null, "expected a model whose reply dialect is known, found none");
        return StructuredOutput.Calls(dialect, isRequired ? tools : Loosened(tools), new ToolCallOptions
        {
            IsRequired = isRequired,
            Tool = request.ToolChoice?.Tool,
            IsParallel = request.ParallelToolCalls,
            Tokenizer = model.Tokenizer,
            Arguments = (request.Reply ?? new ReplyOptions()).Arguments,
        });
    }

    private static bool HasStrict(JsonElement tools) => tools.ValueKind == JsonValueKind.Array && tools.EnumerateArray().Any(IsStrict);

    private static bool IsStrict(JsonElement tool) =>
        FunctionOf(tool) is { ValueKind: JsonValueKind.Object } function && function.TryGetProperty("strict", out var strict)
            && strict.ValueKind == JsonValueKind.True;

    private static JsonElement FunctionOf(JsonElement tool) =>
        tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("function", out var inner) && inner.ValueKind == JsonValueKind.Object
            ? inner
            : tool;

    /// <summary>The same tools, of which those that are not strict take any arguments.</summary>
    private static JsonElement Loosened(JsonElement tools)
    {
        var list = new JsonArray();
        foreach (var tool in tools.EnumerateArray())
        {
            var function = FunctionOf(tool);
            if (IsStrict(tool) || function.ValueKind != JsonValueKind.Object || !function.TryGetProperty("name", out var name)) list.Add(Node(tool));
            else list.Add(new JsonObject { ["name"] = Node(name), ["parameters"] = new JsonObject { ["type"] = "object" } });
        }
        using var document = JsonDocument.Parse(list.ToJsonString());
        return document.RootElement.Clone();
    }

    private static JsonNode? Node(JsonElement value) => JsonNode.Parse(value.GetRawText());
}
