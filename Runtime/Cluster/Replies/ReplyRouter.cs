using System.Collections.Concurrent;
using Orleans.Runtime;
using Quilt.Cluster.Fabric;
using Quilt.Cluster.Replicas;
using Quilt.Cluster.Transfer;
using Quilt.Runtime;

namespace Quilt.Cluster.Replies;

/// <summary>
/// What a process's door does with a request: it is laid out here, a replica chooses its tokens, and they are read here. Before the first token
/// another
/// replica is asked where one will not; behind it a lost replica ends the reply, unless <see cref="ClusterOptions.Resume"/> is set.
/// </summary>
internal sealed class ReplyRouter(LocalReplicas replicas, ClusterOptions options, IGrainFactory grains, ILocalSiloDetails silo, KvPeers peers)
{
    /// <summary>Replicas that are asked for one reply, at most.</summary>
    private const int MostAttempts = 8;

    private readonly ConcurrentDictionary<string, ReplicaReport[]> known = new(StringComparer.Ordinal);
    private int load;
    private int turn;

    /// <summary>Replies that are on their way through this door.</summary>
    public int Load => Volatile.Read(ref load);

    /// <summary>What the directory last said of a model, for when it cannot be asked.</summary>
    public void Known(string model, ReplicaReport[] reports) => known[model] = reports;

    /// <summary>Whether a KV door is one of a model's replicas, as far as this process has heard.</summary>
    public bool KnowsDoor(string model, string address) => known.TryGetValue(model, out var last) && last.Any(one => one.KvAddress == address);

    /// <summary>Answers a request, in the place of the process's own engine.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="engine">Its engine here, which lays the request out.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancel">Ends it.</param>
    /// <inheritdoc cref="Engine.Submit(GenerationRequest, CancellationToken)" path="/exception"/>
    public IReadOnlyList<Generation> Submit(string model, Engine engine, GenerationRequest request, CancellationToken cancel)
    {
        // How likely a prompt's own tokens are is not told across: this process reads it.
        if (request.PromptLogProbabilities is not null) return engine.Submit(request, cancel);
        if (request.Handover is { } handover) return SubmitHere(model, engine, request, handover, cancel);
        // Choices that go on elsewhere need the seed that they began with.
        var sampling = request.Sampling ?? engine.DefaultSampling;
        if (sampling.Seed is null) request = request with { Sampling = sampling with { Seed = Random.Shared.NextInt64() } };
        var relays = engine.Relay(request, cancel);
        var prompt = relays[0].Prompt;
        var question = new RouteQuestion
        {
            Blocks = BlockList.Write(engine.HashesOf(prompt.Ids, request.CacheKeys)),
            PromptTokens = prompt.Ids.Length, MaxTokens = relays[0].Terms.Sampling.MaxTokens,
            Text = GoesByText ? prompt.Text ?? string.Join(' ', prompt.Ids) : "",
        };
        // A prompt that another process reads is read once, whatever the choices.
        var source = new Lazy<Task<KvSource?>>(() => PrefillAsync(model, relays[0], request, question));
        // Choices read one prompt: they go where it is.
        var first = new Lazy<Task<ReplicaReport[]>>(() => RouteAsync(model, question));
        foreach (var relay in relays)
        {
            var crossing = new ReplicaRequest(relay.Prompt.Ids, relay.Prompt.Text, CrossingTerms.Write(request, relay.Terms.Sampling), [], 0);
            _ = AnswerAsync(model, relay, crossing, first, source);
        }
        return [.. relays.Select(relay => relay.Generation)];
    }

    // A proxy has chosen already: this process reads the prompt for another, or goes on from what another has read.
    private IReadOnlyList<Generation> SubmitHere(string model, Engine engine, GenerationRequest request, KvHandover handover,
        CancellationToken cancel)
    {
        // Whoever may ask here may not have this process call where they like: only doors that the cluster knows.
        var isKnown = handover.Host is not null && KnowsDoor(model, $"{handover.Host}:{handover.Port}");
        var laidOut = engine.LayOut(request);
        if (isKnown) peers.Fetch(engine, laidOut.Ids, request.CacheKeys, new KvSource(handover.Host!, handover.Port, handover.Blocks));
        var generations = engine.Submit(request with { LaidOut = laidOut }, cancel);
        if (!handover.IsForOthers) return generations;
        var offer = peers.Offer(engine.HashesOf(laidOut.Ids, request.CacheKeys).Length);
        foreach (var generation in generations) generation.Offer = offer;
        return generations;
    }

    private async Task AnswerAsync(string model, RelayedReply relay, ReplicaRequest crossing, Lazy<Task<ReplicaReport[]>> first,
        Lazy<Task<KvSource?>> source)
    {
        Interlocked.Increment(ref load);
        try
        {
            // Not on the caller's time.
            await Task.Yield();
            crossing = crossing with { Source = await source.Value };
            var asked = new HashSet<SiloAddress>();
            var why = "There is no replica.";
            for (var attempt = 0; attempt < MostAttempts; attempt++)
            {
                var order = attempt == 0 ? await first.Value : await RouteAsync(model, new RouteQuestion { PromptTokens = relay.Prompt.Ids.Length });
                if (order.FirstOrDefault(one => !asked.Contains(one.Silo)) is not { } chosen) break;
                asked.Add(chosen.Silo);
                var outcome = await AskAsync(model, relay, crossing with { Begun = [.. relay.Tokens], Random = relay.Random }, chosen);
                if (outcome is null) return;
                why = outcome.Why;
                if (outcome.IsLost) await SuspectAsync(model, chosen.Silo);
                if (relay.Tokens.Count == 0 || options.Resume) continue;
                relay.Finish(FinishReason.Error, new ReplicaLostException(chosen.Node, relay.Tokens.Count, why));
                return;
            }
            relay.Finish(FinishReason.Error, new ReplicaLostException("any", relay.Tokens.Count, why));
        }
        catch (OperationCanceledException) when (relay.Gone.IsCancellationRequested)
        {
            relay.Finish(FinishReason.Cancelled);
        }
#pragma warning disable CA1031 // Whatever went wrong, the caller waits for an end.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            relay.Finish(FinishReason.Error, new RequestFailedException(thrown));
        }
        finally
        {
            Interlocked.Decrement(ref load);
        }
    }

    /// <summary>Has one replica choose tokens; null: the reply is over, and its caller knows.</summary>
    private async Task<Outcome?> AskAsync(string model, RelayedReply relay, ReplicaRequest crossing, ReplicaReport chosen)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(relay.Gone);
        var reading = StepsOf(model, chosen, crossing, ended.Token).GetAsyncEnumerator(ended.Token);
        try
        {
            while (true)
            {
                if (!await MoveAsync(reading, relay.Gone)) return new Outcome("It broke off.", IsLost: true);
                var step = reading.Current;
                if (step.Cached >= 0 && !relay.Generation.Stats.HasStarted) relay.Started(step.Cached);
                foreach (var token in step.Tokens)
                {
                    relay.Accept(Crossed.Choice(token, relay.Terms.Sampling), token.Random);
                    if (relay.Finished is not { } reason) continue;
                    relay.Finish(reason);
                    return null;
                }
                if (step.End is not { } end) continue;
                switch (end.Kind)
                {
                    case ReplicaEndKind.Finished:
                        relay.Finish((FinishReason)end.Reason);
                        return null;
                    case ReplicaEndKind.RequestFailed:
                        relay.Finish(FinishReason.Error, new RequestFailedException(new InvalidOperationException(end.Message)));
                        return null;
                    default:
                        return new Outcome(end.Message ?? "", IsLost: false);
                }
            }
        }
        catch (OperationCanceledException) when (relay.Gone.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever a replica's call throws, that replica does not answer.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            return new Outcome(thrown is TimeoutException ? "It said nothing for too long." : thrown.GetType().Name, IsLost: true);
        }
        finally
        {
            await ended.CancelAsync();
            _ = LetGoAsync(reading);
        }
    }

    private async Task<bool> MoveAsync(IAsyncEnumerator<ReplicaStep> reading, CancellationToken gone)
    {
        var move = reading.MoveNextAsync();
        return move.IsCompletedSuccessfully ? move.Result : await move.AsTask().WaitAsync(options.Silence, gone);
    }

    // A replica that is gone cannot be told that it may stop; nobody waits for that.
    private static async Task LetGoAsync(IAsyncEnumerator<ReplicaStep> reading)
    {
        try
        {
            await reading.DisposeAsync();
        }
#pragma warning disable CA1031
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    // Null: nobody reads prompts for others, this one is too short to be worth it, or it went wrong. Then it is read where the reply is written.
    private async Task<KvSource?> PrefillAsync(string model, RelayedReply relay, GenerationRequest request, RouteQuestion question)
    {
        var blocks = question.Blocks.Length / KvFrame.HashBytes;
        if (blocks == 0 || !known.TryGetValue(model, out var last) || !last.Any(one => one is { Role: ClusterRole.Prefill, IsDraining: false }))
            return null;
        try
        {
            var order = await RouteAsync(model, question with { Purpose = ClusterRole.Prefill, MaxTokens = 1 });
            if (order.FirstOrDefault(one => one.KvAddress is not null) is not { } reader) return null;
            var sampling = relay.Terms.Sampling with { MaxTokens = 1, MinTokens = 0, Stop = [], ThinkingBudget = null };
            var crossing = new ReplicaRequest(relay.Prompt.Ids, relay.Prompt.Text,
                CrossingTerms.Write(request with { Output = null, ToolChoice = null }, sampling), [], 0);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(relay.Gone);
            var reading = StepsOf(model, reader, crossing, ended.Token).GetAsyncEnumerator(ended.Token);
            try
            {
                while (await MoveAsync(reading, relay.Gone))
                {
                    if (reading.Current.End is not { } end) continue;
                    var address = System.Net.IPEndPoint.Parse(reader.KvAddress!);
                    return end.Kind == ReplicaEndKind.Finished ? new KvSource(address.Address.ToString(), address.Port, blocks) : null;
                }
                return null;
            }
            finally
            {
                await ended.CancelAsync();
                _ = LetGoAsync(reading);
            }
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    private IAsyncEnumerable<ReplicaStep> StepsOf(string model, ReplicaReport chosen, ReplicaRequest crossing, CancellationToken cancel) =>
        chosen.Silo.Equals(silo.SiloAddress)
            ? replicas.Generate(model, crossing, cancel)
            : grains.GetGrain<IReplicaGrain>(ReplicaKey.Of(model, chosen.Silo)).Generate(crossing, cancel).WithBatchSize(1);

    private bool GoesByText => options.Policy is "prefixaware" or "cache_aware";

    private async Task<ReplicaReport[]> RouteAsync(string model, RouteQuestion question)
    {
        try
        {
            var order = await grains.GetGrain<IReplicaDirectory>(model).Route(question).WaitAsync(options.Silence);
            return order.Length > 0 ? order : Remembered(model);
        }
#pragma warning disable CA1031 // What it last said will do.
        catch (Exception)
#pragma warning restore CA1031
        {
            return Remembered(model);
        }
    }

    // In turn, from what is remembered; this process itself at last, which may be the only one.
    private ReplicaReport[] Remembered(string model)
    {
        var reports = known.TryGetValue(model, out var last) ? last : [];
        var able = reports.Where(one => !one.IsDraining && one.Role != ClusterRole.Prefill && !one.Silo.Equals(silo.SiloAddress)).ToArray();
        var start = able.Length == 0 ? 0 : (int)((uint)Interlocked.Increment(ref turn) % able.Length);
        var self = new ReplicaReport { Silo = silo.SiloAddress, Node = options.NodeName ?? silo.Name, Model = model };
        return [.. able.Skip(start), .. able.Take(start), self];
    }

    private async Task SuspectAsync(string model, SiloAddress lost)
    {
        try
        {
            await grains.GetGrain<IReplicaDirectory>(model).Suspect(lost).WaitAsync(options.Silence);
        }
#pragma warning disable CA1031 // It may have been in the same process.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private sealed record Outcome(string Why, bool IsLost);
}
