using Microsoft.AspNetCore.Http;
using Quilt.Formats.Chat.Replies;
using Quilt.Hosting.Http;
using Quilt.Hosting.Telemetry;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary><c>POST /v1/chat/completions</c> and <c>/render</c>.</summary>
internal static class ChatCompletions
{
    private const int PromptEnd = 64;
    private const string AppendThink = "minimax_m2_append_think";     // thinking is text there

    /// <summary>Answers a conversation.</summary>
    public static async Task AnswerAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var (request, generations) = await Preparation.RunAsync(http, body, () =>
        {
            var read = ChatRequest.Read(body, lease, server.Options, server.DefaultsOf(lease), server.Time);
            return (read, lease.Submit(read.Generation with { Tenant = Caller.TenantOf(http) }, http.RequestAborted));
        }).ConfigureAwait(false);
        using var account = Accounts.Open(server, TelemetryNames.Chat, request.Generation, request.Terms, generations);
        RequestHeaders.Write(http, request.Terms, server.Options);
        if (request.Terms.IsStream)
        {
            using var sse = SseWriter.Start(http);
            await ChatStream.WriteAsync(sse, generations, request.Terms, lease.Engine.Tokenizer, http.RequestAborted).ConfigureAwait(false);
            return;
        }
        var terms = request.Terms with { MayThink = BeginsThinking(lease.Engine, generations[0]) };
        var answer = await ChatAnswer.ReadAsync(generations, terms, lease.Engine.Tokenizer, http.RequestAborted).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, answer, WireJson.Default.ChatCompletion).ConfigureAwait(false);
    }

    // The prompt's end left the model inside its thinking, and the dialect tells thinking apart.
    private static bool BeginsThinking(Engine engine, Generation generation)
    {
        if (engine.ReplyDialect is not { } dialect || dialect == AppendThink || engine.Tokenizer is not { } tokenizer
            || ReplyParser.Create(dialect).ThinkingEnd is null)
        {
            return false;
        }
        var end = generation.PromptIds.Skip(Math.Max(0, generation.PromptIds.Count - PromptEnd)).ToArray();
        return ReplyParser.EndsInThinking(tokenizer.Decode(end));
    }

    /// <summary>Shows the prompt that a conversation becomes.</summary>
    public static async Task RenderAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var rendered = await Preparation.RunAsync(http, body, () =>
        {
            var request = ChatRequest.Read(body, lease, server.Options, server.DefaultsOf(lease), server.Time).Generation;
            var template = request.Template ?? lease.Engine.Template ?? throw ApiException.Bad("expected a model with a chat template, found none.");
            var prompt = template.Render(request.Conversation!);
            return new Rendered(prompt, lease.Engine.Tokenizer?.Encode(prompt, request.AddSpecialTokens ?? false) ?? [], lease.Model.Name);
        }).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, rendered, WireJson.Default.Rendered).ConfigureAwait(false);
    }
}
