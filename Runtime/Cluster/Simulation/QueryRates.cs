using Quilt.Cluster.Routing;

namespace Quilt.Cluster.Simulation;

/// <summary>
/// Requests a second of each replica over the last minute, as vLLM's production-stack counts them; replicas that had none have no figure.
/// </summary>
internal sealed class QueryRates(ReplicaState[] states)
{
    private const double Window = 60;
    private readonly int[] counts = new int[states.Length];
    private readonly Queue<(double At, int Who)> sent = new();

    /// <summary>A request was sent to a replica.</summary>
    public void Sent(int who, double now)
    {
        sent.Enqueue((now, who));
        Set(who, ++counts[who]);
    }

    /// <summary>Forgets what is older than the window.</summary>
    public void Tell(double now)
    {
        while (sent.TryPeek(out var oldest) && oldest.At < now - Window)
        {
            sent.Dequeue();
            Set(oldest.Who, --counts[oldest.Who]);
        }
    }

    private void Set(int who, int count) => states[who].QueriesPerSecond = count / Window;
}
