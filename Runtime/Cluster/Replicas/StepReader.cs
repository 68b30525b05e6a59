using System.Runtime.CompilerServices;
using Quilt.Runtime;

namespace Quilt.Cluster.Replicas;

/// <summary>From a generation's events to what crosses: the tokens of a step together, and a sign of life where nothing happens for long.</summary>
/// <param name="generation">The generation.</param>
/// <param name="skipped">Tokens at its beginning that the other side has.</param>
/// <param name="beat">How long nothing may happen.</param>
internal sealed class StepReader(Generation generation, int skipped, TimeSpan beat)
{
    private static readonly ReplicaStep Alive = new();
    private readonly List<ReplicaToken> tokens = [];
    private bool toldCached;

    /// <summary>Reads it to its end.</summary>
    public async IAsyncEnumerable<ReplicaStep> Read([EnumeratorCancellation] CancellationToken cancel)
    {
        var events = generation.Events(cancel).GetAsyncEnumerator(cancel);
        await using (events)
        {
            GenerationEnd? end = null;
            while (end is null)
            {
                var move = events.MoveNextAsync().AsTask();
                if (!move.IsCompleted && tokens.Count > 0) yield return Taken(null);
                while (!move.IsCompleted && await Task.WhenAny(move, Task.Delay(beat, cancel)) != move && !cancel.IsCancellationRequested)
                    yield return Alive;
                if (!await move) break;
                var happened = events.Current;
                if (happened.Token is { } piece) Take(piece, happened.Random);
                end = happened.End;
            }
            if (end is not null) yield return Taken(EndOf(end));
        }
    }

    private void Take(in TokenPiece piece, ulong random)
    {
        if (skipped-- > 0) return;
        tokens.Add(new ReplicaToken(piece.Id, piece.LogProbability, random)
        {
            TopIds = piece.Top.Count == 0 ? null : [.. piece.Top.Select(one => one.Id)],
            TopValues = piece.Top.Count == 0 ? null : [.. piece.Top.Select(one => one.LogProbability)],
            Asked = piece.LogProbabilityTokens.Count == 0 ? null : [.. piece.LogProbabilityTokens.Select(one => one.LogProbability)],
        });
    }

    private ReplicaStep Taken(ReplicaEnd? end)
    {
        var step = new ReplicaStep { Tokens = [.. tokens], Cached = toldCached ? -1 : generation.Stats.CachedTokens, End = end };
        tokens.Clear();
        toldCached = true;
        return step;
    }

    private static ReplicaEnd EndOf(GenerationEnd end) => end switch
    {
        { Error: RequestFailedException failed } => new(ReplicaEndKind.RequestFailed, (int)end.Reason, failed.Message),
        { Error: { } failed } => new(ReplicaEndKind.ReplicaFailed, (int)end.Reason, failed.Message),
        // Nobody here cancels but the engine that is closed.
        { Reason: FinishReason.Cancelled } => new(ReplicaEndKind.ReplicaFailed, (int)end.Reason, "The engine was closed."),
        _ => new(ReplicaEndKind.Finished, (int)end.Reason, null),
    };
}
