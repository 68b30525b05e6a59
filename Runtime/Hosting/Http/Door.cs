using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Quilt.Hosting.Http;

/// <summary>
/// The one place where requests are let in. It stands in front of endpoints, not of paths: whatever is mapped into a guarded group is behind it,
/// however a request spelled its way there, and only what is marked <see cref="OpenEndpoint"/> answers without a key.
/// </summary>
internal sealed class Door(IOptions<QuiltServerOptions> options)
{
    private static readonly byte[] Unauthorized = [.. "{\"error\":\"Unauthorized\"}"u8];
    private readonly QuiltServerOptions options = options.Value;
    private readonly ApiKeys keys = new(options.Value.ApiKeys);
    private readonly HostNames hosts = new(options.Value.AllowedHosts);
    private readonly Origins origins = new(options.Value.AllowedOrigins);

    /// <summary>Puts all endpoints of a group behind the door, those that are mapped later too.</summary>
    public static void Guard(IEndpointConventionBuilder group) => group.Finally(static endpoint =>
    {
        var door = endpoint.ApplicationServices.GetRequiredService<Door>();
        var inner = endpoint.RequestDelegate
            ?? throw new InvalidOperationException($"{endpoint.DisplayName}: expected a RequestDelegate, found none.");
        var isOpen = endpoint.Metadata.OfType<OpenEndpoint>().LastOrDefault()?.IsOpen(door.options) ?? false;
        // So that a browser's question beforehand finds the endpoint it is about.
        if (endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault() is { } methods)
            endpoint.Metadata.Add(new HttpMethodMetadata(methods.HttpMethods, acceptCorsPreflight: true));
        endpoint.RequestDelegate = http => door.EnterAsync(http, isOpen, inner);
    });

    private Task EnterAsync(HttpContext http, bool isOpen, RequestDelegate inner)
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        // Where there are keys the name does not matter: a page that got here by another name has none, as it sees nothing of what the
        // browser keeps for the server's own page.
        if (!keys.Any && !hosts.Allows(http.Request.Host)) return RefuseAsync(http,
            "Host: expected a name that this server is served under, found another.");
        if (http.Request.Headers.Origin.ToString() is { Length: > 0 } origin)
        {
            if (!origins.Allows(http.Request, origin)) return RefuseAsync(http, "Origin: expected a page that may use this server, found another.");
            origins.Expose(http, origin);
        }
        if (Origins.IsPreflight(http.Request)) return Origins.AnswerPreflightAsync(http);
        if (keys.Any && !isOpen)
        {
            if (keys.Find(http.Request) is not { } caller) return RefuseKeyAsync(http);
            http.Features.Set(caller);
        }
        return inner(http);
    }

    private static Task RefuseAsync(HttpContext http, string why) => ErrorReply.WriteAsync(http, new ApiException(403, "Forbidden", why));

    // The form of vLLM, which differs from all other errors'.
    private static async Task RefuseKeyAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        http.Response.Headers.WWWAuthenticate = "Bearer";
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = Unauthorized.Length;
        await http.Response.Body.WriteAsync(Unauthorized, http.RequestAborted).ConfigureAwait(false);
    }
}
