using Microsoft.AspNetCore.Http;
using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary><c>POST /tokenize</c> and <c>/detokenize</c>.</summary>
internal static class TokenizeEndpoints
{
    /// <summary>A text, or a conversation, as tokens.</summary>
    public static async Task TokenizeAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var tokenized = await Preparation.RunAsync(http, body, () => Tokenize(body, lease, server.Options)).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, tokenized, WireJson.Default.Tokenized).ConfigureAwait(false);
    }

    /// <summary>Tokens as a text.</summary>
    public static async Task DetokenizeAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var detokenized = await Preparation.RunAsync(http, body, () => Detokenize(body, lease)).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, detokenized, WireJson.Default.Detokenized).ConfigureAwait(false);
    }

    private static Tokenized Tokenize(Fields body, ModelLease lease, QuiltServerOptions server)
    {
        var tokenizer = TokenizerOf(lease);
        var (text, addsSpecial) = body.Any("messages") is null
            ? (body.Text("prompt") ?? throw ApiException.Bad("prompt: expected a text, or messages, found neither.", "prompt"),
                body.Flag("add_special_tokens") ?? true)
            : (Render(body, lease, server), body.Flag("add_special_tokens") ?? false);
        if (!tokenizer.TryEncode(text, lease.Engine.MaxTokens, out var tokens, addsSpecial)) throw TooLong(lease.Engine);
        var texts = body.Flag("return_token_strs") == true ? tokens.Select(id => tokenizer.Token(id) ?? tokenizer.Decode([id])).ToArray() : null;
        return new(tokens.Length, lease.Engine.MaxTokens, tokens, texts);
    }

    private static Detokenized Detokenize(Fields body, ModelLease lease)
    {
        var tokenizer = TokenizerOf(lease);
        var ids = SamplingFields.InVocabulary(body, "tokens", 1 << 22, lease.Engine.VocabularySize)
            ?? throw ApiException.Bad("tokens: expected a list of token ids, found none.", "tokens");
        return ids.Count <= lease.Engine.MaxTokens ? new(tokenizer.Decode([.. ids])) : throw TooLong(lease.Engine);
    }

    private static string Render(Fields body, ModelLease lease, QuiltServerOptions server)
    {
        var template = TemplateFields.Template(body, server, lease.Engine.Template) ?? lease.Engine.Template
            ?? throw ApiException.Bad("expected a model with a chat template, found none.");
        var tools = ToolFields.Read(body, hasParser: true, server.ExcludeToolsWhenNone);
        return template.Render(TemplateFields.Read(body, tools, server, server.ContentParts ?? template.TakesContentParts));
    }

    private static Tokenizer TokenizerOf(ModelLease lease) =>
        lease.Engine.Tokenizer ?? throw ApiException.Bad("expected a model with a tokenizer, found none.");

    private static ApiException TooLong(Engine engine) =>
        ApiException.Bad($"This model's maximum context length is {engine.MaxTokens} tokens. However, your request has more.");
}
