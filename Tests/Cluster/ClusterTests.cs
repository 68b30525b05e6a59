using Orleans;
using Quilt.Cluster.Replies;
using Quilt.Cluster.Fabric;
using Quilt.Cluster.Replicas;
using Quilt.Formats.Chat;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Hosting;

namespace Quilt.Tests.Cluster;

/// <summary>Requests at one silo's door that another silo's engine answers.</summary>
[NonParallelizable]
public sealed class ClusterTests
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 40, IgnoreEos = true };
    private static readonly SamplingOptions Drawn = new()
    {
        Temperature = 1.2, TopP = 0.95, Seed = 7, MaxTokens = 40, IgnoreEos = true, RepetitionPenalty = 1.1, FrequencyPenalty = 0.2,
    };

    [Test]
    public async Task Any_door_gives_the_tokens_of_one_engine([Values] bool greedy)
    {
        var sampling = greedy ? Greedy : Drawn;
        var alone = await ReadAsync((await DemoHost.EngineAsync()).Submit(Conversation(sampling))[0]);
        await using var cluster = await SmallCluster.StartAsync(2, options => options.Policy = "roundrobin");
        var before = cluster.Finished();
        for (var i = 0; i < 4; i++)
            Assert.That(await ReadAsync(await cluster.AskAsync(i % 2, Conversation(sampling))), Is.EqualTo(alone));
        Assert.That(cluster.Finished().Zip(before, (now, then) => now - then), Is.EqualTo(new long[] { 2, 2 }));
    }

    [Test]
    public async Task A_second_request_goes_where_its_prompt_is_cached()
    {
        await using var cluster = await SmallCluster.StartAsync(3);
        var prompt = Enumerable.Range(0, 100).Select(i => 300 + i).ToArray();
        for (var i = 0; i < 3; i++)
        {
            int[] own = [.. prompt.Select(id => id + i)];
            var before = cluster.Finished();
            await ReadAsync(await cluster.AskAsync(i, new GenerationRequest { Tokens = own, Sampling = Greedy }));
            var first = cluster.WhoWorked(before);
            var blocks = (own.Length - 1) / 16;
            await cluster.UntilAsync(seen => seen.Any(one => one.KnownBlocks >= blocks && one.Report.Silo.Equals(cluster.Silos[first].SiloAddress)));
            before = cluster.Finished();
            var second = await cluster.AskAsync((i + 1) % 3, new GenerationRequest { Tokens = own, Sampling = Greedy });
            await ReadAsync(second);
            Assert.That(cluster.WhoWorked(before), Is.EqualTo(first));
            Assert.That(second.Stats.CachedTokens, Is.EqualTo(blocks * 16));
        }
    }

    [Test]
    public async Task A_silo_that_is_killed_ends_its_replies_with_one_typed_error()
    {
        await using var cluster = await SmallCluster.StartAsync(2, options => options.Policy = "roundrobin");
        var (generation, events, _) = await BeginAtAsync(cluster, door: 0, replica: 1, Greedy with { MaxTokens = 2000 });
        await cluster.KillAsync(1);
        GenerationEnd? end = null;
        while (await events.MoveNextAsync()) end = events.Current.End ?? end;
        Assert.That(end!.Reason, Is.EqualTo(FinishReason.Error));
        Assert.That(end.Error, Is.TypeOf<ReplicaLostException>());
        Assert.That(generation.End, Is.SameAs(end));
        // What comes later is answered by who is left.
        var next = await ReadAsync(await cluster.AskAsync(0, Conversation(Greedy)));
        Assert.That(next, Has.Count.EqualTo(40));
    }

    [Test]
    public async Task A_reply_goes_on_elsewhere_to_the_same_tokens([Values] bool greedy)
    {
        var sampling = (greedy ? Greedy : Drawn) with { MaxTokens = 600 };
        var alone = await ReadAsync((await DemoHost.EngineAsync()).Submit(Conversation(sampling))[0]);
        await using var cluster = await SmallCluster.StartAsync(2, options => (options.Policy, options.Resume) = ("roundrobin", true));
        var (generation, events, ids) = await BeginAtAsync(cluster, door: 0, replica: 1, sampling);
        await cluster.KillAsync(1);
        while (await events.MoveNextAsync())
        {
            if (events.Current.Token is { } token) ids.Add(token.Id);
        }
        Assert.That(generation.End!.Error, Is.Null);
        Assert.That(ids, Is.EqualTo(alone));
    }

    [Test]
    public async Task A_draining_replica_is_given_nothing_new_and_ends_what_it_has()
    {
        await using var cluster = await SmallCluster.StartAsync(2, options => options.Policy = "roundrobin");
        var (_, events, ids) = await BeginAtAsync(cluster, door: 0, replica: 1, Greedy with { MaxTokens = 400 });
        await cluster.Of<ClusterNode>(1).DrainAsync();
        var before = cluster.Finished();
        for (var i = 0; i < 4; i++) await ReadAsync(await cluster.AskAsync(1, Conversation(Greedy)));
        while (await events.MoveNextAsync())
        {
            if (events.Current.Token is { } token) ids.Add(token.Id);
        }
        Assert.That(ids, Has.Count.EqualTo(400));
        Assert.That(cluster.Finished()[0] - before[0], Is.EqualTo(4));
    }

    [Test]
    public async Task The_directory_is_made_again_from_announcements()
    {
        await using var cluster = await SmallCluster.StartAsync(3);
        await ReadAsync(await cluster.AskAsync(0, new GenerationRequest { Tokens = [.. Enumerable.Range(5, 80)], Sampling = Greedy }));
        await cluster.UntilAsync(seen => seen.Any(one => one.KnownBlocks >= 5));
        await cluster.KillAsync(2);
        await cluster.UntilAsync(seen => seen.Count(one => !one.IsLost) == 2);
        var directory = cluster.Of<IGrainFactory>(0).GetGrain<IReplicaDirectory>("demo");
        await directory.Cast<Orleans.Core.Internal.IGrainManagementExtension>().DeactivateOnIdle();
        await cluster.UntilAsync(seen => seen.Length == 2 && seen.Any(one => one.KnownBlocks >= 5));
    }

    [Test]
    public async Task A_caller_that_leaves_frees_the_replicas_cache()
    {
        await using var cluster = await SmallCluster.StartAsync(2, options => options.Policy = "roundrobin");
        var (_, events, _) = await BeginAtAsync(cluster, door: 0, replica: 1, Greedy with { MaxTokens = 4000 });
        await events.DisposeAsync();
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (cluster.EngineOf(1).Snapshot() is not { Running: 0, BlocksUsed: 0 }) await Task.Delay(20, hang.Token);
        Assert.That(() => cluster.Of<LocalReplicas>(1).Load, Is.Zero.After(5000, 20));
        Assert.That(() => cluster.Of<ReplyRouter>(0).Load, Is.Zero.After(5000, 20));
    }

    [Test]
    public async Task What_a_request_asks_for_crosses_whole()
    {
        var request = Conversation(Greedy with { TopLogProbabilities = 3, LogProbabilities = true, LogProbabilityTokens = [7, 9] }) with
        {
            Output = StructuredOutput.JsonSchema("""{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"""),
        };
        request = request with { Sampling = request.Sampling! with { IgnoreEos = false } };
        var alone = await PiecesAsync((await DemoHost.EngineAsync()).Submit(request)[0]);
        await using var cluster = await SmallCluster.StartAsync(2, options => options.Policy = "roundrobin");
        for (var i = 0; i < 2; i++) Assert.That(await PiecesAsync(await cluster.AskAsync(0, request)), Is.EqualTo(alone));
    }

    private static GenerationRequest Conversation(SamplingOptions sampling) => new()
    {
        Conversation = new Conversation().Add("user", "What is the capital of France?"), Sampling = sampling,
    };

    /// <summary>Asks until the reply is made where it should be, and reads its first tokens.</summary>
    private static async Task<(Generation Generation, IAsyncEnumerator<GenerationEvent> Events, List<int> Ids)> BeginAtAsync(
        SmallCluster cluster, int door, int replica, SamplingOptions sampling)
    {
        while (true)
        {
            var generation = await cluster.AskAsync(door, Conversation(sampling));
            var events = generation.Events().GetAsyncEnumerator();
            var ids = new List<int>();
            while (ids.Count < 3 && await events.MoveNextAsync())
            {
                if (events.Current.Token is { } token) ids.Add(token.Id);
            }
            if (cluster.Of<LocalReplicas>(replica).Load > 0) return (generation, events, ids);
            await events.DisposeAsync();
        }
    }

    private static async Task<List<int>> ReadAsync(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return ids;
    }

    private static async Task<List<string>> PiecesAsync(Generation generation)
    {
        var pieces = new List<string>();
        await foreach (var happened in generation.Events())
        {
            if (happened.Token is { } piece)
                pieces.Add($"{piece.Id} {piece.LogProbability} {string.Join(',', piece.Top)} {string.Join(',', piece.LogProbabilityTokens)}");
            else if (happened.Part is { } part) pieces.Add(part.ToString());
            else pieces.Add($"{happened.End!.Reason} {happened.End.StopText} {happened.End.StopToken} {happened.End.Error}");
        }
        return pieces;
    }
}
