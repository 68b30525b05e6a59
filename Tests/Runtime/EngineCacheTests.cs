using CsCheck;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>The prefix cache of an engine: what it gives is what computing would have given, to the bit, and it gives it to whom it may.</summary>
public sealed class EngineCacheTests
{
    private const int BlockTokens = 16;
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 20, IgnoreEos = true, LogProbabilities = true };
    private static readonly int[] Long = [.. Enumerable.Range(0, 60).Select(i => i * 37 % 300)];
    private TinyFolder folder = null!;

    [OneTimeSetUp]
    public void Write() => folder = new TinyFolder();

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    /// <summary>
    /// Conversations whose turns hold what was said before, some of which share their beginnings, several at a time; blocks run out now and then, and
    /// the cache is of every type.
    /// </summary>
    [Test]
    public void A_random_conversation_gets_the_bits_that_an_engine_without_cache_gives(
        [Values] KvType type, [Values(Activations.Float, Activations.Int8)] Activations activations)
    {
        var options = new EngineOptions { Threads = 1, KvType = type, Activations = activations };
        using var plain = Open(options with { PrefixCaching = false });
        using var cached = Open(options with { KvMemory = 12 * BlockTokens * plain.Memory.TokenBytes, MaxBatchedTokens = 48 });
        var turn = Gen.Select(Gen.Int[0, 2], Gen.Int[1, 30], Gen.Int[1, 12], Gen.Int[0, 1000]);
        Gen.Select(turn.Array[1, 5], turn.Array[1, 5]).Sample((first, second) =>
        {
            var (one, other) = (Talk(cached, first), Talk(cached, second));
            var expected = (Talk(plain, first).Result, Talk(plain, second).Result);
            return one.Result.SequenceEqual(expected.Item1) && other.Result.SequenceEqual(expected.Item2);
        }, iter: 60, threads: 1);
        var seen = cached.Snapshot();
        Assert.That(seen.PrefixHits, Is.GreaterThan(seen.PrefixQueries / 8), "much of it was to come from the cache");
        Assert.That(plain.Snapshot().PrefixHits, Is.Zero);
    }

    [Test]
    public async Task The_second_turn_reads_the_first_and_its_reply_from_the_cache()
    {
        await using var engine = Open();
        var first = engine.Generate(Long, Greedy);
        var reply = await Ids(first);
        int[] second = [.. Long, .. reply, 1, 2, 3];
        var next = engine.Generate(second, Greedy);
        await Ids(next);
        Assert.That(first.Stats.CachedTokens, Is.Zero);
        // All full blocks of what was computed; the last token of the reply never was.
        Assert.That(next.Stats.CachedTokens, Is.EqualTo((Long.Length + reply.Length - 1) / BlockTokens * BlockTokens));
    }

    [Test]
    public async Task A_prompt_that_is_cached_whole_computes_its_last_block_again()
    {
        await using var engine = Open();
        var prompt = Long[..(3 * BlockTokens)];
        var expected = await Ids(engine.Generate(prompt, Greedy));
        var again = engine.Generate(prompt, Greedy);
        Assert.That(await Ids(again), Is.EqualTo(expected));
        Assert.That(again.Stats.CachedTokens, Is.EqualTo(2 * BlockTokens));
    }

    [TestCase("a", null, "a", null, true)]
    [TestCase("a", null, "b", null, false)]
    [TestCase("a", null, null, null, false)]
    [TestCase(null, null, "a", null, false)]
    [TestCase(null, "a", null, "a", true)]
    [TestCase(null, "a", null, "b", false)]
    [TestCase(null, "a", "a", null, false)]
    [TestCase("b", "a", "b", "a", true)]
    [TestCase("b", "a", "c", "a", false)]
    [TestCase("b", "a", "a", "b", false)]
    public async Task A_salt_and_a_tenant_keep_what_is_cached_apart(string? salt, string? tenant, string? otherSalt, string? otherTenant, bool shares)
    {
        await using var engine = Open();
        var request = new GenerationRequest { Tokens = Long, Sampling = Greedy, CacheSalt = salt, Tenant = tenant };
        var expected = await Ids(engine.Submit(request)[0]);
        var other = engine.Submit(request with { CacheSalt = otherSalt, Tenant = otherTenant })[0];
        Assert.That(await Ids(other), Is.EqualTo(expected));
        Assert.That(other.Stats.CachedTokens, Is.EqualTo(shares ? 48 : 0));
    }

    [Test]
    public async Task Two_requests_of_one_prompt_share_it_in_the_same_step()
    {
        await using var engine = Open();
        var replies = engine.Submit(new GenerationRequest { Tokens = Long, Choices = 3, Sampling = Greedy with { Temperature = 1, Seed = 5 } });
        var texts = new List<int[]>();
        foreach (var reply in replies) texts.Add(await Ids(reply));
        Assert.That(replies.Select(reply => reply.Stats.CachedTokens), Is.EqualTo(new[] { 0, 48, 48 }));
        await using var plain = Open(new EngineOptions { Threads = 1, KvType = KvType.Float32, PrefixCaching = false });
        for (var i = 0; i < 3; i++)
            Assert.That(await Ids(plain.Generate(Long, Greedy with { Temperature = 1, Seed = 5 + i })), Is.EqualTo(texts[i]), $"choice {i}");
    }

    [Test]
    public async Task Forgetting_is_refused_while_something_runs_or_computes_it_again()
    {
        await using var engine = Open();
        var expected = await Ids(engine.Generate(Long, Greedy));
        Assert.That(engine.Snapshot().BlocksCached, Is.GreaterThan(0));
        Assert.That(await engine.ResetPrefixCacheAsync(), Is.True);
        var fresh = engine.Generate(Long, Greedy);
        Assert.That(await Ids(fresh), Is.EqualTo(expected));
        Assert.That(fresh.Stats.CachedTokens, Is.Zero);

        var running = Enumerable.Range(0, 10).Select(_ => engine.Generate(Long, Greedy with { MaxTokens = 60 })).ToArray();
        var restarted = await engine.ResetPrefixCacheAsync(restartRunning: true);
        foreach (var one in running) Assert.That((await Ids(one)).Take(expected.Length), Is.EqualTo(expected));
        Assert.That(restarted, Is.True);
        Assert.That(engine.Core.Blocks.Free, Is.EqualTo(engine.Core.Blocks.Blocks));
    }

    private Engine Open(EngineOptions? options = null)
    {
        options ??= new EngineOptions { Threads = 1, KvType = KvType.Float32 };
        return new Engine(LoadedModel.Open(folder.Path, options, null, default), options);
    }

    /// <summary>A conversation: each turn adds to what was said; kind 0 begins anew, with tokens that others begin with too.</summary>
    private static async Task<(int, float)[]> Talk(Engine engine, (int Kind, int Tokens, int Reply, int Seed)[] turns)
    {
        var (said, heard) = (new List<int>(), new List<(int, float)>());
        foreach (var (kind, tokens, reply, seed) in turns)
        {
            if (kind == 0 || said.Count + tokens + reply >= engine.MaxTokens) said.Clear();
            said.AddRange(Enumerable.Range(0, tokens).Select(i => ((seed % 3 * 50) + i) % 300));
            var options = new SamplingOptions { Seed = seed, MaxTokens = reply, IgnoreEos = true, LogProbabilities = true, TopK = 20 };
            await foreach (var piece in engine.Generate(said, options))
            {
                heard.Add((piece.Id, piece.LogProbability));
                said.Add(piece.Id);
            }
        }
        return [.. heard];
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }
}
