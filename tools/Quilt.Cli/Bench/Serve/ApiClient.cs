using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Quilt.Cli.Bench.Serve;

/// <summary>A client of OpenAI's API that takes times; as many connections as there are requests.</summary>
internal sealed class ApiClient : IDisposable
{
    private const int MostErrorBytes = 4096;
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly byte[] Done = "[DONE]"u8.ToArray();
    private readonly HttpClient http;
    private readonly TimeSpan timeout;

    /// <param name="server">Its address, with or without <c>/v1</c>.</param>
    /// <param name="key">Sent as a bearer token; null: none.</param>
    /// <param name="timeout">Longest time from sending a request to the end of its reply.</param>
    public ApiClient(Uri server, string? key, TimeSpan timeout)
    {
        this.timeout = timeout;
        http = new HttpClient(new SocketsHttpHandler
        {
            MaxConnectionsPerServer = int.MaxValue,
            UseCookies = false,
            UseProxy = !server.IsLoopback,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        }) { BaseAddress = Base(server), Timeout = Timeout.InfiniteTimeSpan };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>The name of the first model that the server lists.</summary>
    /// <exception cref="IOException">It cannot be reached, or lists none.</exception>
    public async Task<string> FirstModelAsync(CancellationToken cancel)
    {
        using var answer = await JsonOfAsync(new HttpRequestMessage(HttpMethod.Get, "v1/models"), cancel).ConfigureAwait(false);
        return answer?.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("data", out var data)
            && data.ValueKind == JsonValueKind.Array && data.GetArrayLength() > 0 && data[0].ValueKind == JsonValueKind.Object
            && data[0].TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()!
            : throw new IOException($"{http.BaseAddress}v1/models: expected a model in the list, found none; --model names one");
    }

    /// <summary>Tokens of a prompt by <c>/tokenize</c>; null where the server has none of vLLM's form.</summary>
    /// <exception cref="IOException">It cannot be reached.</exception>
    public async Task<int?> TokenizeAsync(ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        using var answer = await JsonOfAsync(new HttpRequestMessage(HttpMethod.Post, "tokenize") { Content = Content(body) }, cancel)
            .ConfigureAwait(false);
        return answer?.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("count", out var count)
            && count.ValueKind == JsonValueKind.Number && count.TryGetInt32(out var value) ? value : null;
    }

    /// <summary>Sends a request and reads the reply to its end; whatever goes wrong is in the result.</summary>
    /// <param name="path">The endpoint, below the server's address.</param>
    /// <param name="body">The request.</param>
    /// <param name="from">When it was to be sent, on Stopwatch's clock.</param>
    /// <param name="keepText">Whether the text is wanted.</param>
    /// <param name="cancel">Ends it; the only exception.</param>
    public async Task<Reply> AskAsync(string path, ReadOnlyMemory<byte> body, long from, bool keepText, CancellationToken cancel)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        ending.CancelAfter(timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Content(body) };
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ending.Token).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
            {
                var text = await StartOfAsync(answer.Content, ending.Token).ConfigureAwait(false);
                return Failed($"status {(int)answer.StatusCode}: {ErrorText.OfBody(text)}") with { Status = (int)answer.StatusCode };
            }
            if (answer.Content.Headers.ContentType?.MediaType != "text/event-stream")
                return Failed($"expected text/event-stream, found {answer.Content.Headers.ContentType?.MediaType ?? "no content type"}");
            var stream = await answer.Content.ReadAsStreamAsync(ending.Token).ConfigureAwait(false);
            return await ReadAsync(stream, from, keepText, ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Failed(FormattableString.Invariant($"no end within {timeout.TotalSeconds} s"));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            return Failed($"broken stream: {(e is JsonException ? "expected JSON" : e.Message)}");
        }
        catch (HttpRequestException e)
        {
            return Failed(e.InnerException is IOException broken ? $"broken connection: {broken.Message}" : e.Message);
        }
    }

    public void Dispose() => http.Dispose();

    private static async Task<Reply> ReadAsync(Stream stream, long from, bool keepText, CancellationToken cancel)
    {
        using var events = new SseReader(stream);
        var clock = new ReplyClock(from);
        var (content, reasoning) = keepText ? (new StringBuilder(), new StringBuilder()) : (null, null);
        (int? prompt, int? output) = (null, null);
        var complete = false;
        while (await events.ReadAsync(cancel).ConfigureAwait(false))
        {
            if (events.Data.SequenceEqual(Done))
            {
                complete = true;
                break;
            }
            var chunk = ReplyChunk.Read(events.Data, content, reasoning);
            if (chunk.Error is { } error) return Failed($"error in the stream: {error}");
            if (chunk.HasTokens) clock.Tick(events.ArrivedAt);
            complete |= chunk.IsLast;
            (prompt, output) = (chunk.PromptTokens ?? prompt, chunk.OutputTokens ?? output);
        }
        if (!complete) return Failed("broken stream: it ended before the reply did");
        var ended = events.ArrivedAt;
        // What is left is the end of the body; without it the connection could not be used again.
        while (await events.ReadAsync(cancel).ConfigureAwait(false))
        {
        }
        return new Reply(null, ended)
        {
            FirstToken = clock.FirstToken,
            Whole = clock.Since(ended),
            Gaps = clock.Gaps(output ?? clock.Chunks),
            PromptTokens = prompt,
            OutputTokens = output ?? clock.Chunks,
            Text = content is { Length: > 0 } ? content.ToString() : reasoning?.ToString(),
        };
    }

    private async Task<JsonDocument?> JsonOfAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        ending.CancelAfter(timeout);
        try
        {
            using (request)
            using (var answer = await http.SendAsync(request, ending.Token).ConfigureAwait(false))
            {
                if (!answer.IsSuccessStatusCode) return null;
                var stream = await answer.Content.ReadAsStreamAsync(ending.Token).ConfigureAwait(false);
                return await JsonDocument.ParseAsync(stream, cancellationToken: ending.Token).ConfigureAwait(false);
            }
        }
        catch (JsonException)
        {
            return null;
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"{http.BaseAddress}: {e.Message}", e);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new IOException(FormattableString.Invariant($"{http.BaseAddress}: no answer within {timeout.TotalSeconds} s"));
        }
    }

    private static async Task<string> StartOfAsync(HttpContent content, CancellationToken cancel)
    {
        var (bytes, count) = (new byte[MostErrorBytes], 0);
        var stream = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        while (count < bytes.Length && await stream.ReadAsync(bytes.AsMemory(count), cancel).ConfigureAwait(false) is > 0 and var read) count += read;
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    private static Reply Failed(string why) => new(why, Stopwatch.GetTimestamp());

    private static ReadOnlyMemoryContent Content(ReadOnlyMemory<byte> body)
    {
        var content = new ReadOnlyMemoryContent(body);
        content.Headers.ContentType = Json;
        return content;
    }

    private static Uri Base(Uri server)
    {
        var path = server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        if (path.EndsWith("/v1", StringComparison.Ordinal)) path = path[..^3];
        return new Uri(path.TrimEnd('/') + "/");
    }
}
