namespace Quilt.Cluster.Routing;

/// <summary>The policies by the names people know them by.</summary>
internal static class RoutingPolicies
{
    private static readonly OrderedDictionary<string, Func<RoutingOptions, RoutingPolicy>> All = new(StringComparer.Ordinal)
    {
        ["prefix"] = options => new PrefixPolicy(options),
        ["roundrobin"] = _ => new RoundRobinPolicy(),
        ["session"] = _ => new SessionPolicy(),
        ["prefixaware"] = options => new PrefixAwarePolicy(options),
        ["kvaware"] = options => new KvAwarePolicy(options),
        ["disaggregated_prefill"] = _ => new DisaggregatedPolicy(orchestrated: false),
        ["disaggregated_prefill_orchestrated"] = _ => new DisaggregatedPolicy(orchestrated: true),
        ["cache_aware"] = options => new CacheAwarePolicy(options),
    };

    /// <summary>The policy that is taken where none is named.</summary>
    public const string Default = "prefix";

    /// <summary>The names there are.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>A policy by its name.</summary>
    /// <exception cref="ArgumentException">There is none of that name, or an option is out of its range.</exception>
    public static RoutingPolicy Named(string name, RoutingOptions? options = null)
    {
        options ??= new RoutingOptions();
        options.Validate();
        return All.TryGetValue(name, out var create)
            ? create(options)
            : throw new ArgumentException($"routing policy: expected one of {string.Join(", ", All.Keys)}, found '{name}'.");
    }
}
