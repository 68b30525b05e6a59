using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quilt.Hosting;
using Quilt.Runtime;

namespace Quilt.Cli.Bench.Serve;

/// <summary>Quilt's server in this process, on a free port of 127.0.0.1; the load goes through sockets all the same.</summary>
internal sealed class OwnServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private OwnServer(WebApplication app, Uri address) => (this.app, Address) = (app, address);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Loads the model and listens.</summary>
    /// <exception cref="ArgumentException">An engine option is out of its range.</exception>
    /// <exception cref="IOException">The folder is none of a checkpoint.</exception>
    public static async Task<OwnServer> StartAsync(string folder, EngineOptions engine, CancellationToken cancel)
    {
        engine.Validate();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddQuilt(options => (options.Model, options.Engine) = (folder, engine));
        var app = builder.Build();
        try
        {
            app.MapQuilt();
            await app.StartAsync(cancel).ConfigureAwait(false);
            var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
            return new OwnServer(app, new Uri(addresses.Addresses.First()));
        }
        catch (Exception e)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            if (e is OptionsValidationException refused) throw new IOException(string.Join(' ', refused.Failures), e);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync().ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
    }
}
