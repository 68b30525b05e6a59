using Quilt.Cluster.Routing;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>Replicas and requests of one model.</summary>
internal static class Replicas
{
    public static ReplicaState Of(string name, double? qps = null, int load = 0) =>
        new() { Name = name, Model = "m", QueriesPerSecond = qps, Running = load, Capacity = int.MaxValue };

    public static List<ReplicaState> Named(params IEnumerable<string> names) => [.. names.Select(name => Of(name))];

    public static RoutingRequest Request(string text = "", string? session = null) => new() { Model = "m", Text = text, Session = session };
}
