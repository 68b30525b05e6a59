using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>Headers of an answer.</summary>
internal static class RequestHeaders
{
    private const int MostCharacters = 128;

    /// <summary>X-Request-Id, the client's own where it gave one.</summary>
    public static void Write(HttpContext http, ReplyTerms terms, QuiltServerOptions server)
    {
        if (!server.RequestIdHeaders) return;
        var own = http.Request.Headers["X-Request-Id"].ToString();
        var isGood = own.Length is > 0 and <= MostCharacters && own.All(c => c is > ' ' and < '\x7f');
        http.Response.Headers["X-Request-Id"] = isGood ? own : terms.Id;
    }
}
