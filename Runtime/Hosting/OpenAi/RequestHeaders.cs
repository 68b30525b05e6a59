using Microsoft.AspNetCore.Http;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>Headers of an answer.</summary>
internal static class RequestHeaders
{
    /// <summary>X-Request-Id, the client's own where it gave one.</summary>
    public static void Write(HttpContext http, ReplyTerms terms, QuiltServerOptions server)
    {
        if (server.RequestIdHeaders) http.Response.Headers[RequestId.Header] = RequestId.Given(http) ?? terms.Id;
    }
}
