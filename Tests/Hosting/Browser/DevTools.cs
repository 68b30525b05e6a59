using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Hosting.Browser;

/// <summary>Chromium's DevTools protocol over one socket: calls, their answers, events. https://chromedevtools.github.io/devtools-protocol/</summary>
internal sealed class DevTools : IAsyncDisposable
{
    private readonly ClientWebSocket socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> calls = new();
    private readonly SemaphoreSlim sending = new(1);
    private readonly CancellationTokenSource closing = new();
    private Task receiving = Task.CompletedTask;
    private int last;

    /// <summary>An event: its session, its name, its parameters.</summary>
    public event Action<string, string, JsonElement>? Happened;

    /// <summary>Connects.</summary>
    public static async Task<DevTools> ConnectAsync(Uri address, CancellationToken cancel)
    {
        var tools = new DevTools();
        await tools.socket.ConnectAsync(address, cancel);
        tools.receiving = tools.ReceiveAsync();
        return tools;
    }

    /// <summary>Calls a method and waits for its answer.</summary>
    public async Task<JsonElement> CallAsync(string method, JsonObject parameters, string? session = null)
    {
        var id = Interlocked.Increment(ref last);
        var answer = calls[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (session is not null) message["sessionId"] = session;
        await sending.WaitAsync();
        try
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, closing.Token);
        }
        finally
        {
            sending.Release();
        }
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        socket.Dispose();
        sending.Dispose();
        closing.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        while (!closing.IsCancellationRequested)
        {
            message.SetLength(0);
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(), closing.Token);
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            if (part.MessageType == WebSocketMessageType.Close) return;
            Take(JsonDocument.Parse(message.ToArray()).RootElement);
        }
    }

    private void Take(JsonElement message)
    {
        if (!message.TryGetProperty("id", out var id))
        {
            var session = message.TryGetProperty("sessionId", out var named) ? named.GetString()! : "";
            Happened?.Invoke(session, message.GetProperty("method").GetString()!, message.GetProperty("params"));
        }
        else if (calls.TryRemove(id.GetInt32(), out var call))
        {
            if (message.TryGetProperty("error", out var error)) call.SetException(new InvalidOperationException(error.ToString()));
            else call.SetResult(message.GetProperty("result"));
        }
    }
}
