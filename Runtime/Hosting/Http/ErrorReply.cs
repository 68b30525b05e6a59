using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.Http;

/// <summary>An error as an answer, in OpenAI's form.</summary>
internal static class ErrorReply
{
    /// <summary>Its JSON.</summary>
    public static ErrorBody Body(ApiException error) =>
        new(new ErrorDetail(error.Message, error.Type, error.Param, error.Status));

    /// <summary>Answers with it, unless the answer has begun.</summary>
    public static Task WriteAsync(HttpContext http, ApiException error)
    {
        if (http.Response.HasStarted) return Task.CompletedTask;
        // What the door said stays: nosniff, and which page may read this.
        http.Response.Headers.CacheControl = default;
        http.Response.Headers.Remove("X-Accel-Buffering");
        http.Response.StatusCode = error.Status;
        // A request that is refused before it has an id of ours still has its client's.
        if (http.RequestServices.GetService<QuiltServer>() is { Options.RequestIdHeaders: true } && RequestId.Given(http) is { } id)
            http.Response.Headers[RequestId.Header] = id;
        if (error.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
        return JsonReply.WriteAsync(http, Body(error), WireJson.Default.ErrorBody);
    }
}
