using System.Net;
using System.Net.Sockets;
using Quilt.Cluster;
using Quilt.Cluster.Transfer;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Hosting;

namespace Quilt.Tests.Cluster;

/// <summary>Prompts that are computed at one process, whose keys and values another one goes on from.</summary>
[NonParallelizable]
public sealed class DisaggregationTests
{
    private static readonly GenerationRequest Request = new()
    {
        Tokens = [.. Enumerable.Range(0, 200).Select(i => 300 + (i * 7 % 500))],
        Sampling = new SamplingOptions { Temperature = 0, MaxTokens = 24, IgnoreEos = true },
    };

    [Test]
    public async Task A_prompt_is_computed_there_and_the_reply_written_here_to_the_same_tokens()
    {
        var alone = await ReadAsync((await DemoHost.EngineAsync()).Submit(Request)[0]);
        await using var cluster = await SmallCluster.StartAsync(2, null, ClusterRole.Prefill, ClusterRole.Decode);
        var (reader, writer) = (cluster.Silo(ClusterRole.Prefill), cluster.Silo(ClusterRole.Decode));
        var generation = await cluster.AskAsync(writer, Request);
        Assert.That(await ReadAsync(generation), Is.EqualTo(alone));
        var blocks = (Request.Tokens!.Count - 1) / 16;
        Assert.That(cluster.Of<KvPeers>(reader).Tiers.Sum(tier => tier.Sent), Is.EqualTo(blocks));
        Assert.That(cluster.Of<KvPeers>(writer).Tiers.Sum(tier => tier.Fetched), Is.EqualTo(blocks));
        Assert.That(generation.Stats.CachedTokens, Is.EqualTo(blocks * 16));
        // The replies are written where they belong.
        Assert.That(cluster.EngineOf(reader).Snapshot().GeneratedTokens, Is.EqualTo(1));
        Assert.That(cluster.EngineOf(reader).Snapshot().BlocksUsed, Is.Zero);
        Assert.That(() => cluster.EngineOf(writer).Snapshot().BlocksUsed, Is.Zero.After(5000, 20));
    }

    [Test]
    public async Task Without_a_reader_of_prompts_the_prompt_is_computed_where_the_reply_is_written()
    {
        var alone = await ReadAsync((await DemoHost.EngineAsync()).Submit(Request)[0]);
        await using var cluster = await SmallCluster.StartAsync(2, null, ClusterRole.Prefill, ClusterRole.Decode);
        var (reader, writer) = (cluster.Silo(ClusterRole.Prefill), cluster.Silo(ClusterRole.Decode));
        cluster.Of<KvPeers>(reader).Dispose();
        var generation = await cluster.AskAsync(writer, Request);
        Assert.That(await ReadAsync(generation), Is.EqualTo(alone));
        Assert.That(generation.Stats.CachedTokens, Is.Zero);
    }

    [Test]
    public async Task What_comes_to_the_door_of_a_reader_of_prompts_is_written_elsewhere()
    {
        var alone = await ReadAsync((await DemoHost.EngineAsync()).Submit(Request)[0]);
        await using var cluster = await SmallCluster.StartAsync(2, null, ClusterRole.Prefill, ClusterRole.Decode);
        var (reader, writer) = (cluster.Silo(ClusterRole.Prefill), cluster.Silo(ClusterRole.Decode));
        Assert.That(await ReadAsync(await cluster.AskAsync(reader, Request)), Is.EqualTo(alone));
        Assert.That(() => cluster.EngineOf(writer).Snapshot().GeneratedTokens, Is.EqualTo(24).After(5000, 20));
    }

    [Test]
    public async Task A_connection_that_sends_what_is_no_frame_is_ended_and_others_go_on()
    {
        await using var cluster = await SmallCluster.StartAsync(2, null, ClusterRole.Prefill, ClusterRole.Decode);
        var (reader, writer) = (cluster.Silo(ClusterRole.Prefill), cluster.Silo(ClusterRole.Decode));
        var random = new Random(3);
        for (var i = 0; i < 50; i++)
        {
            using var hostile = new TcpClient();
            await hostile.ConnectAsync(IPEndPoint.Parse(cluster.Of<KvPeers>(reader).Address!));
            var bytes = new byte[random.Next(20, 400)];
            random.NextBytes(bytes);
            await hostile.GetStream().WriteAsync(bytes);
            using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            Assert.That(await EndAsync(hostile, hang.Token), Is.Zero);
        }
        var generation = await cluster.AskAsync(writer, Request);
        await ReadAsync(generation);
        Assert.That(generation.Stats.CachedTokens, Is.GreaterThan(0));
    }

    [Test]
    public void A_door_that_others_reach_needs_a_key() =>
        Assert.That(() => new KvDoor(IPAddress.Any, null).Dispose(), Throws.ArgumentException.With.Message.Contains("Key"));

    private static async Task<int> EndAsync(TcpClient client, CancellationToken cancel)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], cancel);
        }
        catch (IOException)
        {
            return 0;                                        // a reset is an end too
        }
    }

    private static async Task<List<int>> ReadAsync(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return ids;
    }
}
