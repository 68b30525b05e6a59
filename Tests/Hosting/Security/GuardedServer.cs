using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quilt.Hosting;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Security;

/// <summary>A server of the demo model on a real socket of 127.0.0.1, with the limits of <c>quilt serve</c>. Its engine is its own.</summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private GuardedServer(WebApplication app)
    {
        this.app = app;
        Port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}") };
        Client.Timeout = TimeSpan.FromSeconds(60);
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>A client with no key.</summary>
    public HttpClient Client { get; }

    /// <summary>The models.</summary>
    public ServedModels Models => app.Services.GetRequiredService<ServedModels>();

    /// <summary>The engine.</summary>
    public Engine Engine => Models.All[0].Engine!;

    /// <summary>Requests that are being answered.</summary>
    public int Load => app.Services.GetRequiredService<QuiltServer>().Load;

    /// <summary>Turns of long preparation.</summary>
    public Preparation Preparation => app.Services.GetRequiredService<Preparation>();

    /// <summary>All endpoints of the host.</summary>
    public IEnumerable<RouteEndpoint> Endpoints =>
        app.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    /// <summary>Starts one.</summary>
    /// <param name="server">How it answers.</param>
    /// <param name="engine">How the model runs.</param>
    /// <param name="kestrel">Limits of connections, where a test cannot wait for the usual ones.</param>
    /// <param name="logs">Hears everything that is logged, from Trace on.</param>
    /// <param name="map">What else is mapped behind the same door.</param>
    /// <param name="mostTokens">Most tokens of a reply, whatever is asked for.</param>
    /// <param name="script">Replies in the model's place.</param>
    public static async Task<GuardedServer> StartAsync(Action<QuiltServerOptions>? server = null, EngineOptions? engine = null,
        Action<KestrelServerOptions>? kestrel = null, ILoggerProvider? logs = null, Action<RouteGroupBuilder>? map = null, int? mostTokens = null,
        Script? script = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (logs is not null) builder.Logging.AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(options =>
        {
            QuiltKestrel.Configure(options, options.ApplicationServices.GetRequiredService<IOptions<QuiltServerOptions>>().Value);
            kestrel?.Invoke(options);
            options.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddQuilt(options =>
        {
            options.Model = DemoHost.Folder;
            options.ModelNames.Add("demo");
            options.Engine = engine ?? new EngineOptions { Threads = 2 };
            options.Sampling.MaxNewTokens = mostTokens;
        });
        if (server is not null) builder.Services.AddQuiltServer(server);
        var app = builder.Build();
        app.UsePlainAnswers();
        var group = app.MapQuilt();
        map?.Invoke((RouteGroupBuilder)group);
        await app.StartAsync();
        var started = new GuardedServer(app);
        if (script is not null) started.Models.All[0].Submit = script.Submit;
        return started;
    }

    /// <summary>A connection to it.</summary>
    public Task<RawConnection> ConnectAsync(int? receiveBuffer = null) => RawConnection.OpenAsync(Port, receiveBuffer);

    /// <summary>A request over a connection of its own.</summary>
    public async Task<RawAnswer> SendAsync(string head, byte[]? body = null)
    {
        await using var connection = await ConnectAsync();
        return await connection.AskAsync(head, body);
    }

    /// <summary>JSON to a path, with a header or two.</summary>
    public Task<RawAnswer> PostAsync(string path, string json, string headers = "")
    {
        var body = System.Text.Encoding.UTF8.GetBytes(json);
        return SendAsync($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n" +
            $"{headers}\r\n", body);
    }

    /// <summary>Waits until nothing runs and no block is held.</summary>
    public async Task IdleAsync(int seconds = 10)
    {
        for (var i = 0; i < seconds * 100; i++)
        {
            if (IsIdle()) return;
            await Task.Delay(10);
        }
        var last = Engine.Snapshot();
        Assert.Fail($"After {seconds} s: {last.BlocksUsed} blocks used, {last.Running} run, {last.Waiting} wait, {Preparation.Held} bytes held.");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await app.StopAsync(soon.Token);
        await app.DisposeAsync();
    }

    private bool IsIdle()
    {
        var last = Engine.Snapshot();
        return last is { BlocksUsed: 0, Running: 0, Waiting: 0 } && Preparation.Held == 0;
    }
}
