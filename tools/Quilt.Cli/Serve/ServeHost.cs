using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quilt.Cluster;
using Quilt.Hosting;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Cli.Serve;

/// <summary>The server's process: built of nothing but what the command line says, started, drained, stopped.</summary>
internal static class ServeHost
{
    /// <summary>Builds it; nothing runs yet.</summary>
    public static WebApplication Build(ServeSettings settings, IProgress<LoadProgress>? progress)
    {
        // Empty: no file of the folder it is started in, and no variable of other hosts', changes what it does.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, settings));
        if (settings.Address.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        // Until it is up there is one to tell: whoever started it, in one line.
        var isUp = new Flag();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(settings.LogLevel)
            // What becomes of the others is told by the cluster itself; Orleans has much to say of it.
            .AddFilter("Orleans", settings.LogLevel < LogLevel.Warning ? settings.LogLevel : LogLevel.Critical)
            .AddFilter("Polly", settings.LogLevel < LogLevel.Warning ? settings.LogLevel : LogLevel.Critical)
            .AddFilter(level => level >= settings.LogLevel && (isUp.IsSet || level < LogLevel.Error));
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console =>
            console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Configuration.AddEnvironmentVariables();
        OpenTelemetryExport.Add(builder.Services, builder.Configuration, QuiltVersion.Number);
        builder.Services.AddQuilt(settings.Models).AddQuiltServer(settings.Server);
        if (settings.Cluster is { } cluster) builder.AddQuiltCluster(cluster);
        var app = builder.Build();
        app.Lifetime.ApplicationStarted.Register(() => isUp.IsSet = true);
        app.Services.GetRequiredService<ServedModels>().Progress = _ => progress;
        app.UsePlainAnswers();
        if (settings.Address.RootPath.Length > 0) app.UsePathBase(settings.Address.RootPath);
        app.UseRouting();
        app.MapQuilt();
        if (settings.Cluster is not null) app.MapQuiltCluster();
        app.UseEndpoints(_ => { });
        return app;
    }

    /// <summary>Where it can be reached.</summary>
    public static string UrlOf(WebApplication app, ServeSettings settings) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + settings.Address.RootPath;

    /// <summary>Tells a cluster where it can be reached.</summary>
    public static void Tell(WebApplication app, string url)
    {
        if (app.Services.GetService<ClusterOptions>() is { } cluster) cluster.Url = url;
    }

    /// <summary>Takes no new requests, and waits for those that run, but not longer than <paramref name="longest"/>.</summary>
    public static async Task DrainAsync(WebApplication app, TimeSpan longest)
    {
        var server = app.Services.GetRequiredService<QuiltServer>();
        server.Stop();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var late = new CancellationTokenSource(longest);
        try
        {
            while (server.Load + ClusterStatus.LoadOf(app.Services) > 0) await timer.WaitForNextTickAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            var left = server.Load + ClusterStatus.LoadOf(app.Services);
            await Console.Error.WriteLineAsync($"quilt: {left} requests had not ended after {longest.TotalSeconds:0} s and are dropped");
        }
    }

    private static void Listen(KestrelServerOptions kestrel, ServeSettings settings)
    {
        var address = settings.Address;
        QuiltKestrel.Configure(kestrel, kestrel.ApplicationServices.GetRequiredService<IOptions<QuiltServerOptions>>().Value);
        if (address.Socket is { } socket) kestrel.ListenUnixSocket(socket, Secure);
        else kestrel.Listen(address.Address, address.Port, Secure);

        void Secure(ListenOptions listen)
        {
            if (address.Certificate is not { } file) return;
            // Through PKCS #12: a key that was read from PEM serves on every platform then.
            using var pem = address.KeyPassword is { } password
                ? X509Certificate2.CreateFromEncryptedPemFile(file, password, address.Key)
                : X509Certificate2.CreateFromPemFile(file, address.Key);
            listen.UseHttps(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null));
        }
    }

    private sealed class Flag
    {
        public volatile bool IsSet;
    }

    /// <summary>Signals are the command line's own affair.</summary>
    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
