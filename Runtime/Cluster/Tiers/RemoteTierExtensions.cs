using Quilt.Runtime;

namespace Quilt.Cluster.Tiers;

/// <summary>Engines whose cached keys and values others find too.</summary>
public static class RemoteTierExtensions
{
    /// <summary>
    /// The same options with a tier of the cache in a server that speaks RESP, such as Redis, behind all others (docs/kv-tiers.md). Whoever can read
    /// that server can learn from it what was asked: it belongs behind the same walls as the engines.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="url"><c>redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]</c>, or <c>rediss://</c> for TLS.</param>
    /// <exception cref="ArgumentException">It is no such URL.</exception>
    public static EngineOptions WithRemoteTier(this EngineOptions options, string url)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(url);
        RemoteAddress.Parse(url);
        return options with { KvRemote = space => new RemoteTier(url, space) };
    }
}
