namespace Quilt.Cluster.Routing;

/// <summary>The policies by the names people know them by.</summary>
internal static class RoutingPolicies
{
    private static readonly OrderedDictionary<string, Func<RoutingOptions, RoutingPolicy>> All = new(StringComparer.Ordinal)
    {
        ["roundrobin"] = _ => new RoundRobinPolicy(),
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
