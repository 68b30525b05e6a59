using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Quilt.Hosting.Http;

/// <summary>Answers that no endpoint gives, as to paths and methods that are not there: an error's body in the form that all others have.</summary>
internal static class PlainAnswers
{
    /// <summary>Puts them around what follows; the first thing of a server's own.</summary>
    public static IApplicationBuilder UsePlainAnswers(this IApplicationBuilder app) => app.Use(next => async http =>
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        await next(http).ConfigureAwait(false);
        var response = http.Response;
        if (response.HasStarted || response.StatusCode is not (404 or 405) || response.ContentType is not null || response.ContentLength > 0) return;
        var phrase = ReasonPhrases.GetReasonPhrase(response.StatusCode);
        await ErrorReply.WriteAsync(http, new ApiException(response.StatusCode, phrase, phrase)).ConfigureAwait(false);
    });
}
