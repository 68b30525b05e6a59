using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;

namespace Quilt.Hosting.Page;

/// <summary>
/// What the models' engines do: once (<c>/engine</c>), or twice a second for as long as somebody listens (<c>/engine/events</c>). Every listener has
/// a timer of its own; without listeners nothing runs.
/// </summary>
internal sealed class EngineFeed
{
    /// <summary>Most listeners at once; one more hears 503.</summary>
    public const int MostListeners = 64;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private int listeners;

    /// <summary>Who listens now.</summary>
    public int Listeners => Volatile.Read(ref listeners);

    /// <summary>Answers once.</summary>
    public static async Task AnswerAsync(HttpContext http)
    {
        Prepare(http.Response, "application/json; charset=utf-8");
        await JsonSerializer.SerializeAsync(http.Response.Body, Report(http), EngineReportJson.Default.EngineReport, http.RequestAborted)
            .ConfigureAwait(false);
    }

    /// <summary>Answers until the client goes, or the host stops.</summary>
    public async Task StreamAsync(HttpContext http)
    {
        if (Interlocked.Increment(ref listeners) > MostListeners)
        {
            Interlocked.Decrement(ref listeners);
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        var stopping = http.RequestServices.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? default;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            Prepare(http.Response, "text/event-stream; charset=utf-8");
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            using var timer = new PeriodicTimer(Period, http.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System);
            do
            {
                await WriteAsync(http, end.Token).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(end.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // It went, or the host stops: the answer is over either way.
        }
        finally
        {
            Interlocked.Decrement(ref listeners);
        }
    }

    private static async Task WriteAsync(HttpContext http, CancellationToken cancel)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(Report(http), EngineReportJson.Default.EngineReport);
        var body = http.Response.BodyWriter;
        body.Write("data: "u8);
        body.Write(json);
        body.Write("\n\n"u8);
        await Sending.FlushAsync(http, body, cancel).ConfigureAwait(false);
    }

    private static EngineReport Report(HttpContext http) => new()
    {
        Now = RequestLanes.Now,
        Models = [.. http.RequestServices.GetRequiredService<ServedModels>().All.Select(
            model => model.Lanes.Report(model.Name, model.Engine?.Snapshot()))],
    };

    private static void Prepare(HttpResponse response, string type)
    {
        response.ContentType = type;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
    }
}
