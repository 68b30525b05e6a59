using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting.Telemetry;

namespace Quilt.Hosting.Http;

/// <summary>What surrounds every endpoint: failures become answers, and a client that is gone is nobody's failure.</summary>
internal static class Endpoint
{
    /// <summary>An endpoint that costs the engine something.</summary>
    public static RequestDelegate Counted(Func<HttpContext, QuiltServer, Task> answer) =>
        Of((http, server) => server.CountedAsync(http, answer));

    /// <summary>Counts a refusal for the log, which hears more of what should not have been.</summary>
    public static void Note(HttpContext http, Exception failure, ApiException error)
    {
        http.RequestServices.GetRequiredService<RefusalLog>().Add(error.Status);
        if (error.Status == StatusCodes.Status500InternalServerError) http.RequestServices.GetRequiredService<FailureLog>().Write(failure);
    }

    /// <summary>An endpoint.</summary>
    public static RequestDelegate Of(Func<HttpContext, QuiltServer, Task> answer) => async http =>
    {
        // What a request began ends with it, however it ends: replies that nobody reads any more free their caches.
        var gone = http.RequestAborted;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone);
        http.RequestAborted = ended.Token;
        try
        {
            await answer(http, http.RequestServices.GetRequiredService<QuiltServer>()).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
#pragma warning disable CA1031 // Whatever went wrong, a client gets an answer that tells nothing of the host.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            var error = Failure.Of(failure);
            Note(http, failure, error);
            if (http.Response.HasStarted) http.Abort();
            else await ErrorReply.WriteAsync(http, error).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            http.RequestAborted = gone;
        }
    };
}
