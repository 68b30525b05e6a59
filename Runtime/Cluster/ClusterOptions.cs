namespace Quilt.Cluster;

/// <summary>How a process takes part in a cluster.</summary>
public sealed class ClusterOptions
{
    /// <summary>The cluster's name: processes of other names never meet.</summary>
    public string Name { get; set; } = "quilt";
}
