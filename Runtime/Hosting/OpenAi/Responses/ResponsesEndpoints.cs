using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting.Http;
using Quilt.Hosting.Telemetry;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.OpenAi.Responses;

/// <summary><c>/v1/responses</c>: conversations that the server remembers.</summary>
internal static class ResponsesEndpoints
{
    /// <summary><c>POST /v1/responses</c>.</summary>
    public static async Task CreateAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var (store, tenant) = (StoreOf(http), Caller.TenantOf(http));
        var (request, generation) = await Preparation.RunAsync(http, body, () =>
        {
            var read = ResponsesRequest.Read(body, id => store.Find(id, tenant), lease, server);
            return (read, lease.Submit(read.Chat.Generation with { Tenant = tenant }, http.RequestAborted)[0]);
        }).ConfigureAwait(false);
        using var account = Accounts.Open(server, TelemetryNames.Chat, request.Chat.Generation, request.Chat.Terms, [generation]);
        RequestHeaders.Write(http, request.Chat.Terms, server.Options);
        var answer = new ResponsesAnswer(request, generation, lease.Engine, server.Time);
        if (request.Chat.Terms.IsStream)
        {
            using var sse = SseWriter.Start(http);
            var stream = new ResponsesStream(sse, answer, whole => answer.Keep(whole, store, tenant));
            await stream.WriteAsync(generation, http.RequestAborted).ConfigureAwait(false);
            return;
        }
        await answer.Reply.ReadAsync(generation, http.RequestAborted).ConfigureAwait(false);
        var whole = answer.Whole();
        answer.Keep(whole, store, tenant);
        await JsonReply.WriteAsync(http, whole, ResponsesJson.Default.ResponseBody).ConfigureAwait(false);
    }

    /// <summary><c>GET /v1/responses/{id}</c>.</summary>
    public static async Task GetAsync(HttpContext http, QuiltServer server)
    {
        if (http.Request.Query["stream"] == "true") throw ApiException.Bad("stream: expected false, what is kept is not sent as a stream.", "stream");
        var found = Find(http);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = found.Answer.Length;
        await Sending.WriteAsync(http, found.Answer).ConfigureAwait(false);
    }

    /// <summary><c>DELETE /v1/responses/{id}</c>.</summary>
    public static Task DeleteAsync(HttpContext http, QuiltServer server)
    {
        var id = IdOf(http);
        if (!StoreOf(http).Remove(id, Caller.TenantOf(http))) throw ResponseStore.NotFound(id, "response_id");
        return JsonReply.WriteAsync(http, new DeletedResponse(id), ResponsesJson.Default.DeletedResponse);
    }

    /// <summary><c>POST /v1/responses/{id}/cancel</c>: what is kept is over, and what runs is ended by leaving it.</summary>
    public static Task CancelAsync(HttpContext http, QuiltServer server)
    {
        Find(http);
        throw ApiException.Bad("Cannot cancel a synchronous response.", "response_id");
    }

    private static StoredResponse Find(HttpContext http) =>
        StoreOf(http).Find(IdOf(http), Caller.TenantOf(http)) ?? throw ResponseStore.NotFound(IdOf(http), "response_id");

    private static string IdOf(HttpContext http) => (string)http.Request.RouteValues["id"]!;

    private static ResponseStore StoreOf(HttpContext http) => http.RequestServices.GetRequiredService<ResponseStore>();
}
