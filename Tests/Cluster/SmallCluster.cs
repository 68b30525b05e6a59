using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.TestingHost;
using Quilt.Cluster;
using Quilt.Cluster.Replies;
using Quilt.Cluster.Fabric;
using Quilt.Cluster.Replicas;
using Quilt.Cluster.Transfer;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Tests.Hosting;

namespace Quilt.Tests.Cluster;

/// <summary>Silos in this process, each with an engine of the demo model of its own under the name <c>demo</c>.</summary>
internal sealed class SmallCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster cluster;
    private readonly List<Engine> engines = [];
    private int given;

    private SmallCluster(int silos, Action<ClusterOptions>? configure, ClusterRole[] roles)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.ConfigureSilo((own, silo) =>
        {
            var options = new ClusterOptions
            {
                NodeName = own.SiloName, AnnounceInterval = TimeSpan.FromMilliseconds(100), Silence = TimeSpan.FromSeconds(8),
            };
            configure?.Invoke(options);
            if (roles.Length > 0) options.Role = roles[Interlocked.Increment(ref given) - 1];
            var peers = new KvPeers(options);
            silo.Services.AddSingleton(peers);
            var how = peers.Extend(new EngineOptions { Threads = 1, KvMemory = 32 << 20, KvType = KvType.Float32 });
            var engine = Engine.OpenAsync(DemoHost.Folder, how).GetAwaiter().GetResult();
            lock (engines) engines.Add(engine);
            var models = new ServedModels(new QuiltOptions { Model = DemoHost.Folder, ModelNames = { "demo" } }, TimeProvider.System);
            models.All[0].Engine = engine;
            silo.Services.AddSingleton(models);
            QuiltClusterExtensions.Add(silo, options);
        });
        cluster = builder.Build();
    }

    /// <summary>The silos.</summary>
    public IReadOnlyList<InProcessSiloHandle> Silos => [.. cluster.Silos];

    /// <summary>Starts it, and waits until every silo knows every replica.</summary>
    public static async Task<SmallCluster> StartAsync(int silos, Action<ClusterOptions>? configure = null, params ClusterRole[] roles)
    {
        var made = new SmallCluster(silos, configure, roles);
        await made.cluster.DeployAsync();
        await made.UntilAsync(seen => seen.Count(one => !one.IsLost) == silos);
        return made;
    }

    /// <summary>A part of a silo.</summary>
    public T Of<T>(int silo) where T : notnull => cluster.GetSiloServiceProvider(Silos[silo].SiloAddress).GetRequiredService<T>();

    /// <summary>The silo that has a role; they are started in no order.</summary>
    public int Silo(ClusterRole role) => Enumerable.Range(0, Silos.Count).Single(i => Of<ClusterOptions>(i).Role == role);

    /// <summary>The engine of a silo.</summary>
    public Engine EngineOf(int silo) => Of<ServedModels>(silo).All[0].Engine!;

    /// <summary>Asks at the door of a silo.</summary>
    public async Task<Generation> AskAsync(int silo, GenerationRequest request, CancellationToken cancel = default)
    {
        using var lease = await Of<ServedModels>(silo).UseAsync("demo", cancel);
        return lease.Submit(request, cancel)[0];
    }

    /// <summary>What the directory knows, asked from the first silo that is left.</summary>
    public Task<ReplicaSeen[]> ListAsync() => Of<IGrainFactory>(0).GetGrain<IReplicaDirectory>("demo").List();

    /// <summary>Waits until the directory knows something.</summary>
    public async Task UntilAsync(Func<ReplicaSeen[], bool> wanted)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            try
            {
                if (wanted(await ListAsync())) return;
            }
            catch (Exception gone) when (gone is OrleansException or TimeoutException)
            {
                // Its own silo was ended: it comes back in another.
            }
            await Task.Delay(50, hang.Token);
        }
    }

    /// <summary>Ends a silo as nothing can be done against.</summary>
    public Task KillAsync(int silo) => cluster.KillSiloAsync(Silos[silo]);

    /// <summary>Which silo's engine has generated tokens since <paramref name="before"/> was taken.</summary>
    public int WhoWorked(long[] before) => Enumerable.Range(0, Silos.Count).Single(i => EngineOf(i).Snapshot().Finished > before[i]);

    /// <summary>[silos] requests that have ended.</summary>
    public long[] Finished() => [.. Enumerable.Range(0, Silos.Count).Select(i => EngineOf(i).Snapshot().Finished)];

    public async ValueTask DisposeAsync()
    {
        await cluster.DisposeAsync();
        foreach (var engine in engines) engine.Dispose();
    }
}
