using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting.Anthropic;
using Quilt.Hosting.Http;
using Quilt.Hosting.OpenAi;
using Quilt.Hosting.OpenAi.Responses;
using Quilt.Hosting.Page;
using Quilt.Hosting.Telemetry;

namespace Quilt.Hosting;

/// <summary>Quilt's APIs over HTTP.</summary>
public static class QuiltEndpointRouteBuilderExtensions
{
    private static readonly string[] Get = ["GET"];
    private static readonly string[] Post = ["POST"];
    private static readonly string[] Delete = ["DELETE"];
    private static readonly string[] Either = ["GET", "POST"];

    /// <summary>Maps everything: OpenAI's API and Anthropic's below <c>/v1</c>, health, metrics and the page.</summary>
    /// <param name="routes">The host's routes.</param>
    /// <returns>All endpoints, for conventions of the host's own.</returns>
    public static IEndpointConventionBuilder MapQuilt(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var group = routes.MapGroup("");
        Door.Guard(group);
        MapApi(group.MapGroup("/v1"));
        group.MapMethods("/tokenize", Post, Endpoint.Of(TokenizeEndpoints.TokenizeAsync));
        group.MapMethods("/detokenize", Post, Endpoint.Of(TokenizeEndpoints.DetokenizeAsync));
        group.MapMethods("/health", Get, Endpoint.Of(ServerEndpoints.HealthAsync)).WithMetadata(OpenEndpoint.Always);
        group.MapMethods("/ping", Either, Endpoint.Of(ServerEndpoints.HealthAsync)).WithMetadata(OpenEndpoint.Always);
        group.MapMethods("/version", Get, Endpoint.Of(ServerEndpoints.VersionAsync));
        group.MapMethods("/load", Get, Endpoint.Of(ServerEndpoints.LoadAsync));
        routes.ServiceProvider.GetRequiredService<MetricsEndpoint>().Map(group).WithMetadata(OpenEndpoint.Metrics);
        PageEndpoints.Map(group);
        return group;
    }

    /// <summary>Maps OpenAI's API alone.</summary>
    /// <param name="routes">The host's routes.</param>
    /// <param name="prefix">What its paths begin with.</param>
    /// <returns>Its endpoints, for conventions of the host's own.</returns>
    public static IEndpointConventionBuilder MapQuiltOpenAI(this IEndpointRouteBuilder routes, string prefix = "/v1")
    {
        ArgumentNullException.ThrowIfNull(routes);
        var group = routes.MapGroup(prefix);
        Door.Guard(group);
        MapApi(group);
        return group;
    }

    private static void MapApi(RouteGroupBuilder group)
    {
        group.MapMethods("/chat/completions", Post, Endpoint.Counted(ChatCompletions.AnswerAsync));
        group.MapMethods("/chat/completions/render", Post, Endpoint.Of(ChatCompletions.RenderAsync));
        group.MapMethods("/completions", Post, Endpoint.Counted(Completions.AnswerAsync));
        group.MapMethods("/responses", Post, Endpoint.Counted(ResponsesEndpoints.CreateAsync));
        group.MapMethods("/responses/{id}", Get, Endpoint.Of(ResponsesEndpoints.GetAsync));
        group.MapMethods("/responses/{id}", Delete, Endpoint.Of(ResponsesEndpoints.DeleteAsync));
        group.MapMethods("/responses/{id}/cancel", Post, Endpoint.Of(ResponsesEndpoints.CancelAsync));
        group.MapMethods("/messages", Post, MessagesEndpoints.Answer);
        group.MapMethods("/messages/count_tokens", Post, MessagesEndpoints.Count);
        group.MapMethods("/models", Get, Endpoint.Of(ServerEndpoints.ModelsAsync));
        group.MapMethods("/models/{model}", Get, Endpoint.Of(ServerEndpoints.ModelAsync));
    }
}
