using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Quilt.Hosting.Http;

namespace Quilt.Cluster;

/// <summary>What a cluster says of itself over HTTP.</summary>
public static class QuiltClusterEndpoints
{
    private static readonly string[] Get = ["GET"];
    private static readonly string[] Post = ["POST"];

    /// <summary>Maps <c>GET /cluster</c> (nodes, models, load) and <c>POST /cluster/drain</c>, behind the server's keys.</summary>
    /// <param name="routes">The host's routes.</param>
    /// <returns>The endpoints, for conventions of the host's own.</returns>
    public static IEndpointConventionBuilder MapQuiltCluster(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var group = routes.MapGroup("/cluster");
        Door.Guard(group);
        group.MapMethods("", Get, Endpoint.Of(ClusterStatus.AnswerAsync));
        group.MapMethods("/drain", Post, Endpoint.Of(ClusterStatus.DrainAsync));
        return group;
    }
}
