using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Quilt.Cli.Serve;

/// <summary>
/// Names ASP.NET Core's span of a request after its route and says how it was answered, by OpenTelemetry's HTTP conventions. Paths and queries, which
/// a client makes up, are not told.
/// </summary>
internal sealed class HttpSpans : IStartupFilter
{
    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(Name);
        next(app);
    };

    private static async Task Name(HttpContext http, RequestDelegate next)
    {
        var span = http.Features.Get<IHttpActivityFeature>()?.Activity;
        try
        {
            await next(http);
        }
        finally
        {
            if (span is { IsAllDataRequested: true }) Describe(span, http);
        }
    }

    private static void Describe(Activity span, HttpContext http)
    {
        var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        var method = HttpMethods.GetCanonicalizedValue(http.Request.Method) is var known && known.All(char.IsAsciiLetterUpper) && known.Length <= 7
            ? known : "_OTHER";
        span.DisplayName = route is null ? method : $"{method} {route}";
        span.SetTag("http.request.method", method);
        if (route is not null) span.SetTag("http.route", route);
        span.SetTag("http.response.status_code", http.Response.StatusCode);
        if (http.Response.StatusCode >= StatusCodes.Status500InternalServerError) span.SetStatus(ActivityStatusCode.Error);
    }
}
