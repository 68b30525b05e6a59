using System.Runtime.CompilerServices;
using Quilt.Cluster.Transfer;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Cluster.Replicas;

/// <summary>The replicas of this process: runs what others ask of them, and what its own door does.</summary>
/// <param name="models">The models.</param>
/// <param name="options">The process's options.</param>
/// <param name="peers">Who moves keys and values.</param>
/// <param name="server">Its HTTP door, which says when the process stops; null where there is none.</param>
internal sealed class LocalReplicas(ServedModels models, ClusterOptions options, KvPeers peers, QuiltServer? server = null)
{
    private int load;
    private volatile bool isDraining;

    /// <summary>Replies that are being made.</summary>
    public int Load => Volatile.Read(ref load);

    /// <summary>Whether nothing new is taken.</summary>
    public bool IsDraining => isDraining || server is { IsStopping: true };

    /// <summary>The models.</summary>
    public ServedModels Models => models;

    /// <summary>Whether nothing new is taken from now on.</summary>
    public void Drain(bool value) => isDraining = value;

    /// <summary>Answers a request. What goes wrong is in the last element; only cancelling throws.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancel">Ends it and frees its cache.</param>
    public async IAsyncEnumerable<ReplicaStep> Generate(string model, ReplicaRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (IsDraining)
        {
            yield return Ended(ReplicaEndKind.Refused, "The replica takes nothing new.");
            yield break;
        }
        Interlocked.Increment(ref load);
        try
        {
            using var lease = await UseAsync(model, cancel);
            var (generation, refusal) = lease is null
                ? (null, Ended(ReplicaEndKind.Refused, "The replica does not have the model."))
                : Begin(lease, request, cancel);
            if (generation is null)
            {
                yield return refusal!;
                yield break;
            }
            await foreach (var step in new StepReader(generation, request.Begun.Length, options.Silence / 4).Read(cancel)) yield return step;
        }
        finally
        {
            Interlocked.Decrement(ref load);
        }
    }

    private async Task<ModelLease?> UseAsync(string model, CancellationToken cancel)
    {
        try
        {
            return await models.UseAsync(model, cancel);
        }
#pragma warning disable CA1031 // Why it has none is in its own log; another replica may have it.
        catch (Exception thrown) when (thrown is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    private (Generation? Generation, ReplicaStep? Refusal) Begin(ModelLease lease, ReplicaRequest request, CancellationToken cancel)
    {
        try
        {
            var own = CrossingTerms.Read(request);
            peers.Fetch(lease.Engine, request.Prompt, own.CacheKeys, request.Source);
            return (lease.Engine.Submit(own, cancel)[0], null);
        }
        catch (Exception busy) when (busy is EngineBusyException or ObjectDisposedException or EngineFailedException)
        {
            return (null, Ended(ReplicaEndKind.Refused, busy.Message));
        }
#pragma warning disable CA1031 // It was good at the door and is not here: the request's own affair, which its caller is told of.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            return (null, Ended(ReplicaEndKind.RequestFailed, thrown.Message));
        }
    }

    private static ReplicaStep Ended(ReplicaEndKind kind, string why) => new() { End = new ReplicaEnd(kind, (int)FinishReason.Error, why) };
}
