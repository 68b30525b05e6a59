using Microsoft.AspNetCore.Http;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.OpenAi;

/// <summary><c>POST /v1/chat/completions</c> and <c>/render</c>.</summary>
internal static class ChatCompletions
{
    /// <summary>Answers a conversation.</summary>
    public static async Task AnswerAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.Models.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var request = ChatRequest.Read(body, lease, server.Options, server.DefaultsOf(lease), server.Time);
        var generations = lease.Submit(request.Generation with { Tenant = Caller.TenantOf(http) }, http.RequestAborted);
        RequestHeaders.Write(http, request.Terms, server.Options);
        if (request.Terms.IsStream)
        {
            using var sse = SseWriter.Start(http);
            await ChatStream.WriteAsync(sse, generations, request.Terms, lease.Engine.Tokenizer, http.RequestAborted).ConfigureAwait(false);
            return;
        }
        var answer = await ChatAnswer.ReadAsync(generations, request.Terms, lease.Engine.Tokenizer, http.RequestAborted).ConfigureAwait(false);
        await JsonReply.WriteAsync(http, answer, WireJson.Default.ChatCompletion).ConfigureAwait(false);
    }

    /// <summary>Shows the prompt that a conversation becomes.</summary>
    public static async Task RenderAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.Models.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var request = ChatRequest.Read(body, lease, server.Options, server.DefaultsOf(lease), server.Time).Generation;
        var template = request.Template ?? lease.Engine.Template ?? throw ApiException.Bad("expected a model with a chat template, found none.");
        var prompt = template.Render(request.Conversation!);
        var tokens = lease.Engine.Tokenizer?.Encode(prompt, request.AddSpecialTokens ?? false) ?? [];
        await JsonReply.WriteAsync(http, new Rendered(prompt, tokens, lease.Model.Name), WireJson.Default.Rendered).ConfigureAwait(false);
    }
}
