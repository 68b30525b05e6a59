using System.Collections.Concurrent;
using Quilt.Cluster.Replicas;
using Quilt.Runtime;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Cluster.Transfer;

/// <summary>This process's part in moving keys and values: its door, and a tier for each cache whose blocks go through it.</summary>
internal sealed class KvPeers : IDisposable
{
    private readonly ClusterOptions options;
    private readonly Lock gate = new();
    private readonly ConcurrentBag<PeerTier> tiers = [];
    private KvDoor? door;

    public KvPeers(ClusterOptions options) => this.options = options;

    /// <summary>Where others fetch blocks; null: they cannot.</summary>
    public string? Address => door?.Address.ToString();

    /// <summary>The tiers so far.</summary>
    public IReadOnlyCollection<PeerTier> Tiers => tiers;

    /// <summary>The same engine options with a tier for the cluster, where the process has one role of two.</summary>
    public EngineOptions Extend(EngineOptions engine)
    {
        if (options.Role == ClusterRole.Both || engine.Device != "cpu") return engine;
        var inner = engine.KvRemote;
        return engine with { KvRemote = space => Open(space, inner?.Invoke(space)) };
    }

    /// <summary>Where others find what a prompt was computed to; null: nowhere.</summary>
    /// <param name="blocks">Its full blocks.</param>
    public KvOffer? Offer(int blocks) =>
        door is { Address: var at } ? new KvOffer(options.NodeName ?? "quilt", at.Address.ToString(), at.Port, blocks) : null;

    /// <summary>Begins to fetch what a prompt was computed to elsewhere.</summary>
    /// <param name="engine">The engine whose cache it goes to.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="cacheKeys">What sets its blocks apart.</param>
    /// <param name="source">Who has them; null: nobody.</param>
    public void Fetch(Engine engine, int[] prompt, string[] cacheKeys, KvSource? source)
    {
        if (source is null || tiers.IsEmpty) return;
        var hashes = engine.HashesOf(prompt, cacheKeys);
        // Of another model's tier it is told in the greeting that there is none.
        foreach (var tier in tiers) KvFetch.Begin(tier, hashes, source, options.Key);
    }

    public void Dispose() => door?.Dispose();

    private PeerTier Open(KvSpace space, KvTier? inner)
    {
        var tier = new PeerTier(space, options.Role == ClusterRole.Prefill ? options.KvExportBytes : 0, inner);
        tiers.Add(tier);
        if (options.Role != ClusterRole.Prefill) return tier;
        lock (gate) (door ??= new KvDoor(options.Address, options.Key)).Add(tier);
        return tier;
    }
}
