using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>A server on a port of this machine, with the demo model or a script in its place.</summary>
internal sealed class HttpHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly bool ownsEngine;

    private HttpHost(WebApplication app, Engine engine, bool ownsEngine)
    {
        (this.app, Engine, this.ownsEngine) = (app, engine, ownsEngine);
        Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Client = new HttpClient { BaseAddress = new Uri(Url), Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>Where it is: http://127.0.0.1:PORT.</summary>
    public string Url { get; }

    /// <summary>A client of it.</summary>
    public HttpClient Client { get; }

    /// <summary>Its engine.</summary>
    public Engine Engine { get; }

    /// <summary>Its services.</summary>
    public IServiceProvider Services => app.Services;

    /// <summary>Starts one.</summary>
    /// <param name="script">What answers in the model's place; null: the model.</param>
    /// <param name="configure">The server's options.</param>
    /// <param name="engine">The engine; null: one that all tests share.</param>
    /// <param name="models">The models' options.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="loads">Whether the host loads a model of its own, as hosts do.</param>
    public static async Task<HttpHost> StartAsync(Script? script = null, Action<QuiltServerOptions>? configure = null, Engine? engine = null,
        Action<QuiltOptions>? models = null, string name = "demo", bool loads = false)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        builder.Services.AddQuilt(options =>
        {
            options.Model = DemoHost.Folder;
            options.ModelNames.Add(name);
            models?.Invoke(options);
        }).AddQuiltServer(configure ?? (_ => { }));
        var app = builder.Build();
        var first = app.Services.GetRequiredService<ServedModels>().All[0];
        if (!loads) first.Engine = engine ?? await DemoHost.EngineAsync();
        if (script is not null) first.Submit = script.Submit;
        app.UseRouting();
        app.MapQuilt();
        app.UseEndpoints(_ => { });
        await app.StartAsync();
        return new HttpHost(app, first.Engine!, loads);
    }

    /// <summary>Posts JSON.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, string json) =>
        Client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    /// <summary>Posts JSON and reads the answer, which is one that went well.</summary>
    public async Task<JsonElement> AnswerAsync(string path, string json)
    {
        using var response = await PostAsync(path, json);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>Posts JSON and reads the chunks of the stream that answers; the last is [DONE], which is checked and left out.</summary>
    public async Task<IReadOnlyList<JsonElement>> StreamAsync(string path, string json)
    {
        using var response = await PostAsync(path, json);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        Assert.That(response.Content.Headers.ContentType!.ToString(), Is.EqualTo("text/event-stream; charset=utf-8"));
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.That(events, Is.All.StartsWith("data: "));
        Assert.That(events[^1], Is.EqualTo("data: [DONE]"));
        return [.. events[..^1].Select(one =>
        {
            using var document = JsonDocument.Parse(one["data: ".Length..]);
            return document.RootElement.Clone();
        })];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        // The engine is the tests', not this host's.
        var models = app.Services.GetRequiredService<ServedModels>();
        await app.StopAsync();
        if (!ownsEngine) models.All[0].Engine = null;
        await app.DisposeAsync();
    }
}
