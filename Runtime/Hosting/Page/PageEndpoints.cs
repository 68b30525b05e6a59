using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.Page;

/// <summary>
/// The page at <c>/</c>, its files below <c>/page/</c>, and what its Engine tab shows. The page is for everybody, it says nothing; the feed is not.
/// </summary>
internal static class PageEndpoints
{
    /// <summary>The folder of the page's files, as a browser sees it.</summary>
    public const string Folder = "/page";

    /// <summary>
    /// What the page may do: run its own files, ask its own server. Nothing from elsewhere, nothing inline, so that a reply that gets the better of
    /// the page's care still runs nothing and calls nobody.
    /// </summary>
    public const string ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Which tabs the page has here, as a list of names.</summary>
    public const string ViewsPath = Folder + "/views";

    // Behind this a host that belongs to a cluster answers; the page has a tab for it then.
    private const string ClusterPath = "/cluster";

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps them.</summary>
    /// <returns>The feed, which knows who listens.</returns>
    public static EngineFeed Map(IEndpointRouteBuilder routes)
    {
        foreach (var file in PageFile.All)
        {
            var path = file.Name == "index.html" ? "/" : $"{Folder}/{file.Name}";
            routes.MapMethods(path, Methods, http => AnswerAsync(http, file)).WithMetadata(OpenEndpoint.Always).WithDisplayName($"page {path}");
        }
        routes.MapMethods(ViewsPath, Methods, AnswerViewsAsync).WithMetadata(OpenEndpoint.Always).WithDisplayName($"page {ViewsPath}");
        var feed = new EngineFeed();
        routes.MapGet("/engine", EngineFeed.AnswerAsync);
        routes.MapGet("/engine/events", feed.StreamAsync);
        return feed;
    }

    private static Task AnswerViewsAsync(HttpContext http)
    {
        var isCluster = http.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints
            .Any(endpoint => endpoint is RouteEndpoint { RoutePattern.RawText: { } path } && path.TrimEnd('/') == ClusterPath);
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.ContentType = "application/json";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask
            : Sending.WriteAsync(http, isCluster ? "[\"chat\",\"engine\",\"cluster\"]"u8.ToArray() : "[\"chat\",\"engine\"]"u8.ToArray());
    }

    private static Task AnswerAsync(HttpContext http, PageFile file)
    {
        var headers = http.Response.Headers;
        headers.ETag = file.Tag;
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (http.Request.GetTypedHeaders().IfNoneMatch is { Count: > 0 } known
            && known.Any(tag => tag.Tag == file.Tag || tag == EntityTagHeaderValue.Any))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        http.Response.ContentType = file.ContentType;
        http.Response.ContentLength = file.Content.Length;
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask
            : Sending.WriteAsync(http, file.Content);
    }
}
