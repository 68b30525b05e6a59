using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Quilt.Hosting.Http;

/// <summary>
/// Server-sent events straight into the connection's buffer: <c>data: {json}</c> and an empty line each. One JSON writer serves all events, so that
/// an event allocates nothing.
/// </summary>
internal sealed class SseWriter : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly PipeWriter pipe;
    private readonly Utf8JsonWriter json;
    private readonly HttpContext http;
    private readonly QuiltServer server;
    private long flushed;
    private int flushes;

    private SseWriter(HttpContext http)
    {
        (this.http, pipe) = (http, http.Response.BodyWriter);
        json = new Utf8JsonWriter(pipe, Options);
        server = http.RequestServices.GetRequiredService<QuiltServer>();
    }

    /// <summary>Begins the answer.</summary>
    public static SseWriter Start(HttpContext http)
    {
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return new SseWriter(http);
    }

    /// <summary>Begins an event; its JSON is written to what this returns, and <see cref="End"/> ends it.</summary>
    /// <param name="name">The event's name; empty: none.</param>
    public Utf8JsonWriter Begin(ReadOnlySpan<byte> name = default)
    {
        if (!name.IsEmpty)
        {
            Write("event: "u8);
            Write(name);
            Write("\n"u8);
        }
        Write("data: "u8);
        json.Reset(pipe);
        return json;
    }

    /// <summary>Ends an event.</summary>
    public void End()
    {
        json.Flush();
        Write("\n\n"u8);
    }

    /// <summary>An event that is written as it is.</summary>
    public void Raw(ReadOnlySpan<byte> line)
    {
        Write("data: "u8);
        Write(line);
        Write("\n\n"u8);
    }

    /// <summary>
    /// Where many streams run, and this one has sent something just now: waits a moment for more to send with it. The first words of a reply are
    /// never held up.
    /// </summary>
    public ValueTask SaveUpAsync() => flushes > 2 && server.Beat is { } beat && Stopwatch.GetElapsedTime(flushed) < Beat.Period
        ? new(beat.NextAsync())
        : default;

    /// <summary>Sends what was written; waits while the client does not take it, and drops one that takes nothing for too long.</summary>
    /// <returns>Whether the client is still there.</returns>
    public ValueTask<bool> FlushAsync(CancellationToken cancel)
    {
        flushed = Stopwatch.GetTimestamp();
        flushes++;
        var sending = Sending.FlushAsync(http, pipe, cancel);
        return sending.IsCompletedSuccessfully ? new(IsThere(sending.Result)) : WaitAsync(sending);
    }

    private static async ValueTask<bool> WaitAsync(ValueTask<FlushResult> sending) => IsThere(await sending.ConfigureAwait(false));

    private static bool IsThere(FlushResult sent) => !sent.IsCompleted && !sent.IsCanceled;

    public void Dispose() => json.Dispose();

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(pipe.GetSpan(bytes.Length));
        pipe.Advance(bytes.Length);
    }
}
