using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Quilt.Tests.Cli;

/// <summary>
/// A server of OpenAI's API whose replies are known: a word of a prompt is a token, and a template takes <see cref="TemplateTokens"/> more of each
/// message. Remembers what it was asked.
/// </summary>
internal sealed class BenchServeStub : IAsyncDisposable
{
    public const int TemplateTokens = 5;
    private readonly WebApplication app;
    private int running, measured;

    public BenchServeStub()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapGet("/v1/models", () => Results.Text("""{"object":"list","data":[{"id":"stub","object":"model"}]}""", "application/json"));
        app.MapPost("/tokenize", (Delegate)Tokenize);
        app.MapPost("/v1/chat/completions", (HttpContext http) => AnswerAsync(http, chat: true));
        app.MapPost("/v1/completions", (HttpContext http) => AnswerAsync(http, chat: false));
    }

    public string Address { get; private set; } = "";

    /// <summary>Bodies of requests that asked for the measured length, in the order of their coming.</summary>
    public ConcurrentQueue<JsonElement> Requests { get; } = [];

    /// <summary>Authorization headers seen.</summary>
    public ConcurrentDictionary<string, bool> Keys { get; } = [];

    /// <summary>Most requests that ran at a time.</summary>
    public int MostRunning { get; private set; }

    public int ReplyTokens { get; init; } = 12;
    public bool HasTokenize { get; init; } = true;
    public bool HasUsage { get; init; } = true;
    public bool KnowsIgnoreEos { get; init; } = true;

    /// <summary>Tokens of a chunk.</summary>
    public int ChunkTokens { get; init; } = 1;

    /// <summary>Tokens of a word of two letters or more; a letter always is one.</summary>
    public int WordTokens { get; init; } = 1;

    /// <summary>Milliseconds to the first chunk, and between chunks.</summary>
    public int FirstDelay { get; init; }
    public int ChunkDelay { get; init; }

    /// <summary>What the measured request of this number (from 0) does in place of a reply; null: it replies.</summary>
    public Func<int, string?> Mishap { get; init; } = static _ => null;

    public async Task<BenchServeStub> StartAsync()
    {
        await app.StartAsync();
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return this;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    /// <summary>The words that a request's first message or prompt says.</summary>
    public static string[] Words(JsonElement request) =>
        (request.TryGetProperty("messages", out var messages) ? messages[0].GetProperty("content") : request.GetProperty("prompt"))
            .GetString()!.Split(' ');

    private int Count(JsonElement body) => body.TryGetProperty("messages", out var messages)
        ? messages.EnumerateArray().Sum(message => TemplateTokens + CountText(message.GetProperty("content").GetString()!))
        : CountText(body.GetProperty("prompt").GetString()!);

    private int CountText(string text) => text.Split(' ').Sum(word => word.Length == 1 ? 1 : WordTokens);

    private async Task<IResult> Tokenize(HttpContext http)
    {
        if (!HasTokenize) return Results.NotFound();
        using var body = await JsonDocument.ParseAsync(http.Request.Body);
        return Results.Text($$"""{"count":{{Count(body.RootElement)}},"max_model_len":4096,"tokens":[]}""", "application/json");
    }

    private async Task AnswerAsync(HttpContext http, bool chat)
    {
        JsonElement body;
        using (var json = await JsonDocument.ParseAsync(http.Request.Body)) body = json.RootElement.Clone();
        foreach (var key in http.Request.Headers.Authorization) Keys[key!] = true;
        if (!KnowsIgnoreEos && body.TryGetProperty("ignore_eos", out _))
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync("""{"error":{"message":"Unrecognized request argument supplied: ignore_eos"}}""");
            return;
        }
        var tokens = body.GetProperty("max_tokens").GetInt32();
        string? mishap = null;
        // What asks for fewer tokens is the look before the load.
        var isMeasured = tokens == ReplyTokens;
        if (isMeasured)
        {
            Requests.Enqueue(body);
            mishap = Mishap(Interlocked.Increment(ref measured) - 1);
            var now = Interlocked.Increment(ref running);
            lock (Requests) MostRunning = Math.Max(MostRunning, now);
        }
        try
        {
            if (mishap == "status")
            {
                http.Response.StatusCode = 503;
                await http.Response.WriteAsync("""{"error":{"message":"The server is full.","type":"ServiceUnavailable"}}""");
                return;
            }
            await StreamAsync(http, chat, tokens, Count(body), mishap);
        }
        finally
        {
            if (isMeasured) Interlocked.Decrement(ref running);
        }
    }

    private async Task StreamAsync(HttpContext http, bool chat, int tokens, int promptTokens, string? mishap)
    {
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        if (chat) await Send(http, """{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""");
        await Task.Delay(FirstDelay);
        for (var sent = 0; sent < tokens; sent += ChunkTokens)
        {
            if (sent > 0 && ChunkDelay > 0) await Task.Delay(ChunkDelay);
            var text = string.Concat(Enumerable.Range(sent, Math.Min(ChunkTokens, tokens - sent)).Select(i => $" r{i}"));
            var part = chat ? $"\"delta\":{{\"content\":\"{text}\"}}" : $"\"text\":\"{text}\"";
            await Send(http, $$$"""{"choices":[{"index":0,{{{part}}} }]}""");
            if (mishap == "abort")
            {
                // A reset takes what was not read with it.
                await Task.Delay(100);
                http.Abort();
            }
            if (mishap is "abort" or "end") return;
            if (mishap == "hang") await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            if (mishap == "error") await Send(http, """{"error":{"message":"The engine has failed.","code":500}}""");
            if (mishap == "garbage") await Send(http, "{nonsense");
        }
        await Send(http, """{"choices":[{"index":0,"delta":{},"text":"","finish_reason":"length"}]}""");
        if (HasUsage)
        {
            var usage = $"\"prompt_tokens\":{promptTokens},\"completion_tokens\":{tokens},\"total_tokens\":{promptTokens + tokens}";
            await Send(http, $$$"""{"choices":[],"usage":{ {{{usage}}} }}""");
        }
        await Send(http, "[DONE]");
    }

    private static async Task Send(HttpContext http, string data)
    {
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"data: {data}\n\n"));
        await http.Response.Body.FlushAsync();
    }
}
