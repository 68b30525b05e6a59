using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting.Http;
using Quilt.Hosting.Telemetry;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.OpenAi;

/// <summary>What a server says of itself: models, health, version, load; text to tokens and back.</summary>
internal static class ServerEndpoints
{
    /// <summary><c>GET /v1/models</c>.</summary>
    public static Task ModelsAsync(HttpContext http, QuiltServer server)
    {
        var cards = server.Models.All.SelectMany(model =>
            model.Names.Select(name => new ModelCard(name, model.Created, model.Name, model.Engine?.MaxTokens)));
        return JsonReply.WriteAsync(http, new ModelList([.. cards]), WireJson.Default.ModelList);
    }

    /// <summary><c>GET /v1/models/{model}</c>.</summary>
    public static Task ModelAsync(HttpContext http, QuiltServer server)
    {
        var name = http.Request.RouteValues["model"] as string;
        var model = server.Models.Find(name);
        return JsonReply.WriteAsync(http, new ModelCard(name!, model.Created, model.Name, model.Engine?.MaxTokens), WireJson.Default.ModelCard);
    }

    /// <summary><c>GET /health</c>, <c>/ping</c>: 200 while steps are made, 503 where the engine is dead or the server stops.</summary>
    public static Task HealthAsync(HttpContext http, QuiltServer server)
    {
        http.Response.StatusCode = http.RequestServices.GetRequiredService<EngineHealth>().Status;
        return Task.CompletedTask;
    }

    /// <summary><c>GET /version</c>.</summary>
    public static Task VersionAsync(HttpContext http, QuiltServer server) =>
        JsonReply.WriteAsync(http, new VersionBody(QuiltVersion.Number), WireJson.Default.VersionBody);

    /// <summary><c>GET /load</c>.</summary>
    public static Task LoadAsync(HttpContext http, QuiltServer server) =>
        JsonReply.WriteAsync(http, new LoadBody(server.Load), WireJson.Default.LoadBody);
}
