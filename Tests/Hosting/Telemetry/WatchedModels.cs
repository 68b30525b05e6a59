using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>A host's models and their telemetry, without a host: a tiny model, a log in memory, a clock of the test's.</summary>
internal sealed class WatchedModels : IAsyncDisposable
{
    private readonly TinyFolder folder;
    private readonly ServiceProvider services;

    public WatchedModels(Action<QuiltOptions>? configure = null, TimeProvider? time = null, MemoryLog? log = null, string name = "tiny",
        bool tokenizer = false)
    {
        folder = new TinyFolder(tokenizer: tokenizer);
        Log = log ?? new MemoryLog();
        var options = new QuiltOptions { Model = folder.Path, Engine = new EngineOptions { Threads = 1 } };
        options.ModelNames.Add(name);
        configure?.Invoke(options);
        services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        Time = time ?? TimeProvider.System;
        Meter = new ServerMeter(services.GetRequiredService<IMeterFactory>());
        Watch = new ModelWatch(Meter, Time, Log);
        Models = Watch.Attach(new ServedModels(options, Time));
        Tracing = new RequestTracing(Meter, Time, Log);
        Endpoint = new MetricsEndpoint(Models, Watch);
        Health = HealthOf(null);
    }

    /// <summary>Health beside a host's lifetime.</summary>
    public EngineHealth HealthOf(IHostApplicationLifetime? lifetime) => new(
        new QuiltServer(Models, Options.Create(new QuiltServerOptions()), Time, Tracing, lifetime), Watch);

    public MemoryLog Log { get; }

    public TimeProvider Time { get; }

    public ServerMeter Meter { get; }

    public IMeterFactory Meters => services.GetRequiredService<IMeterFactory>();

    public ModelWatch Watch { get; }

    public ServedModels Models { get; }

    public RequestTracing Tracing { get; }

    public MetricsEndpoint Endpoint { get; }

    public EngineHealth Health { get; }

    public string Folder => folder.Path;

    public static SamplingOptions Greedy(int tokens) => new() { Temperature = 0, MaxTokens = tokens, IgnoreEos = true };

    /// <summary>Runs requests side by side to their ends, and the engine to rest.</summary>
    public async Task<Generation[]> RunAsync(params GenerationRequest[] requests)
    {
        using var lease = await Models.UseAsync(null, default);
        Generation[] all = [.. requests.SelectMany(request => lease.Submit(request, default))];
        foreach (var generation in all)
        {
            await foreach (var _ in generation.Events())
            {
            }
        }
        await lease.Engine.ResetPrefixCacheAsync();
        return all;
    }

    /// <summary>What /metrics answers.</summary>
    public string Scrape()
    {
        var text = new ArrayBufferWriter<byte>();
        Endpoint.Write(text);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    public async ValueTask DisposeAsync()
    {
        await Models.DisposeAsync();
        await services.DisposeAsync();
        folder.Dispose();
    }
}
