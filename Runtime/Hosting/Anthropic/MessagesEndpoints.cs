using Microsoft.AspNetCore.Http;
using Quilt.Hosting.Http;
using Quilt.Hosting.OpenAi;
using Quilt.Hosting.Telemetry;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.Anthropic;

/// <summary><c>POST /v1/messages</c> and <c>/count_tokens</c>: Anthropic's API over the same conversation as chat completions.</summary>
internal static class MessagesEndpoints
{
    /// <summary>Answers a conversation.</summary>
    public static RequestDelegate Answer { get; } = Http.Endpoint.Of((http, server) =>
        AnthropicErrors.AroundAsync(http, () => server.CountedAsync(http, AnswerAsync)));

    /// <summary>Counts a conversation's tokens.</summary>
    public static RequestDelegate Count { get; } =
        Http.Endpoint.Of((http, server) => AnthropicErrors.AroundAsync(http, () => CountAsync(http, server)));

    private static async Task AnswerAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var (request, generation) = await Preparation.RunAsync(http, body, () =>
        {
            var chat = MessagesRequest.ToChat(body, server.Options);
            var read = ChatRequest.Read(chat, lease, server.Options, server.DefaultsOf(lease), server.Time);
            return (read, lease.Submit(read.Generation with { Tenant = Caller.TenantOf(http) }, http.RequestAborted)[0]);
        }).ConfigureAwait(false);
        var terms = request.Terms with { Id = $"msg_{Ids.New(12)}" };
        using var account = Accounts.Open(server, TelemetryNames.Chat, request.Generation, terms, [generation]);
        RequestHeaders.Write(http, terms, server.Options);
        if (terms.IsStream)
        {
            using var sse = SseWriter.Start(http);
            await MessagesStream.WriteAsync(sse, generation, terms, http.RequestAborted).ConfigureAwait(false);
            return;
        }
        var reply = new ReplyBlocks(terms.ParallelToolCalls);
        await reply.ReadAsync(generation, http.RequestAborted).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, MessagesAnswer.Of(reply, generation, terms), AnthropicJson.Default.AnthropicMessage).ConfigureAwait(false);
    }

    private static async Task CountAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var count = await Preparation.RunAsync(http, body, () =>
        {
            var chat = MessagesRequest.ToChat(body, server.Options, isCount: true);
            var request = ChatRequest.Read(chat, lease, server.Options, server.DefaultsOf(lease), server.Time).Generation;
            var template = request.Template ?? lease.Engine.Template ?? throw ApiException.Bad("expected a model with a chat template, found none.");
            var tokenizer = lease.Engine.Tokenizer ?? throw ApiException.Bad("expected a model with a tokenizer, found none.");
            return tokenizer.Encode(template.Render(request.Conversation!), addSpecialTokens: false).Length;
        }).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, new AnthropicCount(count), AnthropicJson.Default.AnthropicCount).ConfigureAwait(false);
    }
}
