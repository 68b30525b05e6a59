using Microsoft.AspNetCore.Http;
using Quilt.Hosting.Http;
using Quilt.Hosting.OpenAi;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.Anthropic;

/// <summary>Errors as Anthropic's clients know them.</summary>
internal static class AnthropicErrors
{
    // What its servers answer when they have too much to do.
    private const int Overloaded = 529;

    /// <summary>Runs an endpoint whose failures are told in Anthropic's form.</summary>
    public static async Task AroundAsync(HttpContext http, Func<Task> answer)
    {
        http.Response.Headers["request-id"] = $"req_{Ids.New(12)}";
        try
        {
            await answer().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // As in Endpoint: whatever went wrong, a client gets an answer that tells nothing of the host.
        catch (Exception failure) when (!http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested)
#pragma warning restore CA1031
        {
            var error = Failure.Of(failure);
            Http.Endpoint.Note(http, failure, error);
            http.Response.Headers.CacheControl = default;
            http.Response.Headers.Remove("X-Accel-Buffering");
            http.Response.StatusCode = StatusOf(error);
            if (error.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
            await JsonReply.WriteAsync(http, Body(error), AnthropicJson.Default.AnthropicErrorBody).ConfigureAwait(false);
        }
    }

    /// <summary>An error's JSON.</summary>
    public static AnthropicErrorBody Body(ApiException error) => new(new(TypeOf(error), error.Message));

    private static int StatusOf(ApiException error) => IsBusy(error) ? Overloaded : error.Status == 501 ? 400 : error.Status;

    private static string TypeOf(ApiException error) => error.Status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        501 => "invalid_request_error",
        _ => IsBusy(error) ? "overloaded_error" : error.Status >= 500 ? "api_error" : "invalid_request_error",
    };

    // Not now, but later: unlike an engine that has failed.
    private static bool IsBusy(ApiException error) => error is { Status: 503, RetryAfter: not null };
}
