using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.Http;

/// <summary>Origins of pages that may ask: the server's own, and those that its options name.</summary>
internal sealed class Origins
{
    private readonly HashSet<string> allowed;
    private readonly bool any;

    /// <summary>Takes the origins.</summary>
    /// <param name="allowed">As <c>https://host:port</c>; <c>*</c>: any.</param>
    public Origins(IEnumerable<string> allowed)
    {
        this.allowed = new(allowed.Select(origin => origin.TrimEnd('/')), StringComparer.OrdinalIgnoreCase);
        any = this.allowed.Contains("*");
    }

    /// <summary>Whether a page of an origin may ask.</summary>
    /// <param name="request">Its request.</param>
    /// <param name="origin">The origin that it carries.</param>
    public bool Allows(HttpRequest request, string origin) => any || IsOwn(request, origin) || allowed.Contains(origin);

    /// <summary>Lets an allowed page see the answer (CORS), keys but no cookies.</summary>
    public void Expose(HttpContext http, string origin)
    {
        if (allowed.Count == 0) return;
        var headers = http.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlExposeHeaders = "X-Request-Id, Retry-After";
        headers.Append("Vary", "Origin");
    }

    /// <summary>Whether a browser asks beforehand whether a page may.</summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0;

    /// <summary>Answers that.</summary>
    public static Task AnswerPreflightAsync(HttpContext http)
    {
        var (asked, answer) = (http.Request.Headers, http.Response.Headers);
        answer.AccessControlAllowMethods = asked.AccessControlRequestMethod;
        answer.AccessControlAllowHeaders = asked.AccessControlRequestHeaders;
        answer.AccessControlMaxAge = "600";
        if (asked.ContainsKey("Access-Control-Request-Private-Network")) answer["Access-Control-Allow-Private-Network"] = "true";
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    // By host and port alone: where TLS ends before this server, the page's scheme is another one than the request's.
    private static bool IsOwn(HttpRequest request, string origin)
    {
        var start = origin.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? 7
            : origin.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? 8 : -1;
        return start > 0 && request.Host.HasValue && origin.AsSpan(start).Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
