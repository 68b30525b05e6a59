using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quilt.Cli;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Hosting.Page;

namespace Quilt.Tests.Hosting.Browser;

/// <summary>The real page and the real feed; behind them a model that says what a test wrote down.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private ScriptedServer(WebApplication app) => this.app = app;

    /// <summary>What a request for a reply gets.</summary>
    public Func<JsonElement, StreamedReply, Task> Script { get; set; } = (_, reply) => reply.SayAsync("Hello.");

    /// <summary>The key that requests have to bring; null: none.</summary>
    public string? Key { get; set; }

    /// <summary>All requests for replies so far.</summary>
    public ConcurrentQueue<JsonElement> Requests { get; } = new();

    /// <summary>Requests whose client went before the end.</summary>
    public int Aborted;

    /// <summary>Who listens to the engine.</summary>
    public EngineFeed Feed { get; private set; } = new();

    public Uri Address => new(app.Urls.First() + "/");

    public ServedModels Models => app.Services.GetRequiredService<ServedModels>();

    /// <summary>What <c>/cluster</c> answers on a server that was started as part of one.</summary>
    public string Cluster { get; set; } = "";

    public static async Task<ScriptedServer> StartAsync(bool isCluster = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var options = new QuiltOptions { Model = DemoModel.Folder };
        options.ModelNames.Add("demo");
        builder.Services.AddSingleton(_ => new ServedModels(options, TimeProvider.System));
        var server = new ScriptedServer(builder.Build());
        server.Models.Observer = static model => model.Lanes;
        server.Feed = PageEndpoints.Map(server.app);
        server.app.MapGet("/v1/models", server.Guarded(static http =>
            http.Response.WriteAsync("""{"object":"list","data":[{"id":"demo","object":"model"},{"id":"other","object":"model"}]}""")));
        server.app.MapPost("/v1/chat/completions", server.Guarded(server.AnswerAsync));
        if (isCluster) server.app.MapGet("/cluster", server.Guarded(http => http.Response.WriteAsync(server.Cluster)));
        await server.app.StartAsync();
        return server;
    }

    /// <summary>The last request for a reply.</summary>
    public JsonElement Last => Requests.Last();

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private RequestDelegate Guarded(RequestDelegate inner) => async http =>
    {
        if (Key is null || http.Request.Headers.Authorization == $"Bearer {Key}")
        {
            await inner(http);
            return;
        }
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        await http.Response.WriteAsync("""{"error":"Unauthorized"}""");
    };

    private async Task AnswerAsync(HttpContext http)
    {
        using var document = await JsonDocument.ParseAsync(http.Request.Body);
        var request = document.RootElement.Clone();
        Requests.Enqueue(request);
        var reply = new StreamedReply(http);
        try
        {
            await Script(request, reply);
            await reply.EndAsync();
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            Interlocked.Increment(ref Aborted);
        }
    }
}

/// <summary>A reply as the API streams it.</summary>
internal sealed class StreamedReply(HttpContext http)
{
    private string finish = "stop";
    private int tokens;
    private bool isOver;

    /// <summary>The client goes.</summary>
    public CancellationToken Gone => http.RequestAborted;

    public Task SayAsync(string text) => DeltaAsync(new() { ["content"] = text });

    /// <summary>Thinking, under both names, as the server sends it.</summary>
    public Task ThinkAsync(string text) => DeltaAsync(new() { ["reasoning"] = text, ["reasoning_content"] = text });

    /// <summary>A tool's call, its arguments in two parts.</summary>
    public async Task CallAsync(int index, string id, string name, string arguments)
    {
        finish = "tool_calls";
        await DeltaAsync(new() { ["tool_calls"] = new JsonArray(new JsonObject
        {
            ["index"] = index, ["id"] = id, ["type"] = "function", ["function"] = new JsonObject { ["name"] = name, ["arguments"] = arguments[..4] },
        }) });
        await DeltaAsync(new() { ["tool_calls"] = new JsonArray(new JsonObject
        {
            ["index"] = index, ["function"] = new JsonObject { ["arguments"] = arguments[4..] },
        }) });
    }

    /// <summary>An error in the place of a reply.</summary>
    public async Task RefuseAsync(int status, string message)
    {
        isOver = true;
        http.Response.StatusCode = status;
        var error = new JsonObject { ["message"] = message, ["type"] = "BadRequestError" };
        await http.Response.WriteAsync(new JsonObject { ["error"] = error }.ToJsonString());
    }

    /// <summary>An error within the reply.</summary>
    public async Task FailAsync(string message)
    {
        await SendAsync(new JsonObject { ["error"] = new JsonObject { ["message"] = message } }.ToJsonString());
        isOver = true;
        await SendAsync("[DONE]");
    }

    /// <summary>The line goes dead.</summary>
    public void Cut()
    {
        isOver = true;
        http.Abort();
    }

    public async Task EndAsync()
    {
        if (isOver) return;
        await ChunkAsync(new(), finish);
        await SendAsync($$$"""{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":{{{tokens}}},"total_tokens":{{{tokens + 9}}}}}""");
        await SendAsync("[DONE]");
    }

    private async Task DeltaAsync(JsonObject delta)
    {
        if (tokens++ == 0) await ChunkAsync(new() { ["role"] = "assistant", ["content"] = "" }, null);
        await ChunkAsync(delta, null);
    }

    private Task ChunkAsync(JsonObject delta, string? reason) => SendAsync(new JsonObject
    {
        ["id"] = "chatcmpl-1", ["object"] = "chat.completion.chunk", ["model"] = "demo",
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = reason }),
    }.ToJsonString());

    private async Task SendAsync(string data)
    {
        if (!http.Response.HasStarted) http.Response.ContentType = "text/event-stream; charset=utf-8";
        await http.Response.WriteAsync($"data: {data}\n\n", Gone);
        await http.Response.Body.FlushAsync(Gone);
    }
}
