using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Runtime;
using Quilt.Cluster.Replies;
using Quilt.Cluster.Fabric;
using Quilt.Cluster.Replicas;
using Quilt.Cluster.Transfer;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using MembersOptions = Orleans.Configuration.ClusterOptions;

namespace Quilt.Cluster;

/// <summary>A cluster beside Quilt in a .NET host.</summary>
public static class QuiltClusterExtensions
{
    /// <summary>Makes the host one of a cluster: its models answer the others' requests, theirs answer what comes to this one.</summary>
    /// <param name="builder">The host, with <see cref="QuiltServiceCollectionExtensions.AddQuilt(IServiceCollection,
    /// Action{QuiltOptions})"/>.</param>
    /// <param name="configure">Says how.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <example><code>
    /// builder.Services.AddQuilt(o => o.Model = "/models/tiny");
    /// builder.AddQuiltCluster(o => { o.Name = "office"; o.Join = "10.0.0.1:11111"; o.Key = secret; });
    /// </code></example>
    public static IHostApplicationBuilder AddQuiltCluster(this IHostApplicationBuilder builder, Action<ClusterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new ClusterOptions();
        configure(options);
        options.Validate();
        if (options.Port == 0) options.Port = FreePort.Find(options.Address);
        options.NodeName ??= $"{Environment.MachineName}-{options.Port}";
        builder.UseOrleans(silo =>
        {
            Members(silo, options);
            if (options.Key is { } key) GuardedConnections.Add(silo, key);
            Add(silo, options);
        });
        return builder;
    }

    /// <summary>A cluster's parts in a silo; who its members are is the caller's affair.</summary>
    internal static void Add(ISiloBuilder silo, ClusterOptions options)
    {
        silo.Services.AddSingleton(options);
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(provider => new LocalReplicas(
            provider.GetRequiredService<ServedModels>(), options, provider.GetRequiredService<KvPeers>(), provider.GetService<QuiltServer>()));
        silo.Services.TryAddSingleton(_ => new KvPeers(options));
        silo.Services.Configure<QuiltServerOptions>(server => server.MovesBlocks = options.Role != ClusterRole.Both);
        silo.Services.AddOptions<QuiltOptions>().PostConfigure<KvPeers>((models, peers) => models.Engine = peers.Extend(models.Engine));
        silo.Services.AddSingleton<ReplyRouter>();
        silo.Services.AddSingleton<ClusterNode>();
        silo.Services.AddHostedService(provider => provider.GetRequiredService<ClusterNode>());
        silo.Services.AddPlacementDirector<OwnSiloStrategy, OwnSiloDirector>();
        silo.Configure<SiloMessagingOptions>(messages => messages.ResponseTimeout = options.Silence * 2);
        silo.Configure<ClusterMembershipOptions>(members =>
        {
            members.ProbeTimeout = TimeSpan.FromSeconds(2);
            members.NumMissedProbesLimit = 2;
        });
    }

    private static void Members(ISiloBuilder silo, ClusterOptions options)
    {
        silo.Configure<MembersOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.Name, "quilt"));
        silo.Configure<SiloOptions>(own => own.SiloName = options.NodeName!);
        silo.Configure<EndpointOptions>(ends =>
        {
            (ends.AdvertisedIPAddress, ends.SiloPort, ends.GatewayPort) = (options.Address, options.Port, 0);
            ends.SiloListeningEndpoint = new IPEndPoint(options.Address, options.Port);
        });
        if (options.Redis is { } redis) silo.UseRedisClustering(redis);
        else
        {
            silo.UseDevelopmentClustering(options.Join is { } join
                ? ClusterOptions.EndPointOf(join)
                : new IPEndPoint(options.Address, options.Port));
        }
    }
}
