using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CsCheck;
using Quilt.Cluster.Tiers;
using Quilt.Runtime;
using Quilt.Runtime.Kv.Tiers;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Runtime.Kv.Tiers;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Cluster.Tiers;

/// <summary>A tier in a server that speaks RESP: a stand-in of ours, and Redis itself where it is installed.</summary>
public sealed class RemoteTierTests
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 20, IgnoreEos = true };
    private static readonly int[] Long = [.. Enumerable.Range(0, 100).Select(i => i * 37 % 300)];

    [Test]
    public void What_one_writes_another_reads()
    {
        using var server = new RespServer();
        using var one = new RemoteTier(server.Url, TierImages.Space());
        using var other = new RemoteTier(server.Url, TierImages.Space());
        Assert.That(TierImages.Has(other, 1), Is.False);
        TierImages.Put(one, 1);
        Assert.That(one.Holds(TierImages.Hash(1)), Is.True);
        Assert.That(TierImages.Has(other, 1), Is.True);
        TierImages.Put(other, 1);
        TierImages.Put(one, 1);
        Assert.That((server.Sets, one.Warning, other.Warning), Is.EqualTo((1, default(string), default(string))), "it is sent once");
    }

    [Test]
    public void Models_and_databases_stay_apart()
    {
        using var server = new RespServer();
        using var one = new RemoteTier(server.Url, TierImages.Space());
        using var other = new RemoteTier(server.Url, TierImages.Space(2));
        TierImages.Put(one, 1);
        Assert.That(TierImages.Has(other, 1), Is.False);
    }

    [Test]
    public void Any_change_of_a_value_is_a_miss()
    {
        using var server = new RespServer();
        using var tier = new RemoteTier(server.Url, TierImages.Space());
        TierImages.Put(tier, 1);
        var (key, whole) = server.Values.Single();
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[1, 255], Gen.Bool).Sample((at, change, cut) =>
        {
            var other = (byte[])whole.Clone();
            other[at] ^= (byte)change;
            server.Values[key] = cut ? whole[..at] : other;
            return !TierImages.Has(tier, 1);
        }, iter: 200, threads: 1);
        server.Values[key] = [.. whole, 0];
        Assert.That(TierImages.Has(tier, 1), Is.False);
        TierImages.Put(tier, 2);
        server.Values[key] = server.Values.Single(pair => pair.Key != key).Value;
        Assert.That(TierImages.Has(tier, 1), Is.False, "another image under this name");
        server.Values[key] = whole;
        Assert.That(TierImages.Has(tier, 1), Is.True);
    }

    [Test]
    public void A_server_that_is_gone_is_left_alone_ever_longer_and_asked_again()
    {
        var port = FreePort();
        var clock = new HandClock();
        using var tier = new RemoteTier($"redis://127.0.0.1:{port}", TierImages.Space(), clock);
        var pauses = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            Assert.That(tier.MayHold(TierImages.Hash(1)), Is.True);
            Assert.That(TierImages.Has(tier, 1), Is.False);
            Assert.That((tier.IsQuiet, tier.MayHold(TierImages.Hash(1))), Is.EqualTo((true, false)));
            Assert.That(tier.Warning, Does.Contain($"127.0.0.1:{port}"));
            TierImages.Put(tier, 1);
            var pause = 0.0;
            for (; tier.IsQuiet; pause += 0.25) clock.Advance(0.25);
            pauses.Add(pause);
        }
        Assert.That(pauses, Is.EqualTo(new[] { 0.5, 1, 2, 4, 8, 16, 30, 30, 30 }));

        using var server = new RespServer(port);
        TierImages.Put(tier, 1);
        Assert.That((TierImages.Has(tier, 1), tier.Warning), Is.EqualTo((true, default(string))));
    }

    [Test]
    public void A_server_that_dies_and_comes_back_empty_is_written_to_again()
    {
        var clock = new HandClock();
        var first = new RespServer();
        using var tier = new RemoteTier(first.Url, TierImages.Space(), clock);
        TierImages.Put(tier, 1);
        first.Dispose();
        Assert.That(TierImages.Has(tier, 1), Is.False);
        using var second = new RespServer(first.Port);
        // The client takes its own time to find the server again.
        Assert.That(SpinWait.SpinUntil(() =>
        {
            clock.Advance(60);
            TierImages.Put(tier, 1);
            return TierImages.Has(tier, 1);
        }, TimeSpan.FromMinutes(1)));
        Assert.That(second.Sets, Is.EqualTo(1));
    }

    [TestCase("http://host")]
    [TestCase("redis://")]
    [TestCase("redis:///1")]
    [TestCase("redis://host/one")]
    [TestCase("redis://host/-1")]
    [TestCase("redis://host?ssl=true")]
    [TestCase("host:6379")]
    public void An_address_that_is_none_is_refused(string url)
    {
        Assert.That(() => RemoteAddress.Parse(url), Throws.ArgumentException.With.Message.Contains("KvRemote"));
        Assert.That(() => new EngineOptions().WithRemoteTier(url), Throws.ArgumentException);
    }

    [Test]
    public void An_address_says_who_where_and_how_and_its_name_keeps_the_password()
    {
        var (server, name) = RemoteAddress.Parse("rediss://me:p%40ss@cache.example:7000/3");
        Assert.That((server.User, server.Password, server.Ssl, server.DefaultDatabase), Is.EqualTo(("me", "p@ss", true, 3)));
        Assert.That((server.EndPoints.Single().ToString(), name), Is.EqualTo(("Unspecified/cache.example:7000", "rediss://cache.example:7000")));
        Assert.That(RemoteAddress.Parse("redis://localhost").Name, Is.EqualTo("redis://localhost:6379"));
    }

    [Test]
    public async Task Another_engine_finds_in_the_server_what_one_computed()
    {
        using var server = new RespServer();
        await TwoEngines(server.Url);
        Assert.That(server.Values, Has.Count.EqualTo(14), "full blocks of prompt and reply, of each tenant");
    }

    [Test]
    public async Task Redis_serves_two_engines()
    {
        var port = FreePort();
        using var folder = new TierFolder();
        using var redis = StartRedis(port, folder.Path);
        try
        {
            await TwoEngines($"redis://127.0.0.1:{port}");
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }
    }

    [Test]
    public async Task An_engine_whose_server_is_gone_says_so_and_computes()
    {
        using var folder = new TinyFolder();
        await using var plain = Open(folder, null);
        await using var engine = Open(folder, $"redis://127.0.0.1:{FreePort()}");
        var reply = engine.Generate(Long, Greedy);
        Assert.That(await Ids(reply), Is.EqualTo(await Ids(plain.Generate(Long, Greedy))));
        Assert.That(reply.Stats.CachedTokens, Is.Zero);
        Assert.That(engine.Warnings, Has.Some.Contains("does not answer"));
    }

    private static async Task TwoEngines(string url)
    {
        using var folder = new TinyFolder();
        int[] expected;
        await using (var first = Open(folder, url)) expected = await Ids(first.Generate(Long, Greedy));
        await using var second = Open(folder, url);
        var again = second.Generate(Long, Greedy);
        Assert.That(await Ids(again), Is.EqualTo(expected));
        Assert.That(again.Stats.FromTiers, Is.EqualTo(new TierTokens(0, 0, 96)));
        Assert.That(second.Warnings.Where(warning => warning.Contains("tier", StringComparison.Ordinal)), Is.Empty);
        var other = second.Submit(new GenerationRequest { Tokens = Long, Sampling = Greedy, Tenant = "another" })[0];
        Assert.That(await Ids(other), Is.EqualTo(expected));
        Assert.That(other.Stats.CachedTokens, Is.Zero);
    }

    private static Engine Open(TinyFolder folder, string? url)
    {
        var options = new EngineOptions { Threads = 1, WarmUp = false };
        if (url is not null) options = options.WithRemoteTier(url);
        return new Engine(LoadedModel.Open(folder.Path, options, null, default), options);
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }

    private static Process StartRedis(int port, string folder)
    {
        try
        {
            var redis = Process.Start(new ProcessStartInfo("redis-server",
                ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", folder]) { RedirectStandardOutput = true })!;
            while (redis.StandardOutput.ReadLine() is { } line)
            {
                if (line.Contains("Ready to accept connections", StringComparison.Ordinal)) return redis;
            }
            throw new AssertionException("redis-server did not start");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("There is no redis-server here.");
            throw;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A clock that moves when it is told to.</summary>
    private sealed class HandClock : TimeProvider
    {
        private long now = 1;

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => now;

        public void Advance(double seconds) => now += (long)(seconds * TimestampFrequency);
    }
}
