namespace Quilt.Cluster.Replicas;

/// <summary>
/// A replica's hand in the cluster. Its key is <c>MODEL|SILO</c> (<see cref="ReplicaKey"/>), and it lives in that silo or nowhere.
/// </summary>
internal interface IReplicaGrain : IGrainWithStringKey
{
    /// <summary>
    /// Answers a request: an element for each step of the engine that brought it something, and one now and then to say that it lives.
    /// </summary>
    IAsyncEnumerable<ReplicaStep> Generate(ReplicaRequest request, CancellationToken cancel);
}
