using CsCheck;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Runtime.Kv.Tiers;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>An engine with tiers behind its cache: what they give is what computing would have given, to the bit, or nothing.</summary>
public sealed class EngineTierTests
{
    private const int BlockTokens = 16;
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 20, IgnoreEos = true, LogProbabilities = true };
    private static readonly int[] Long = [.. Enumerable.Range(0, 100).Select(i => i * 37 % 300)];
    private readonly EngineOptions usual = new() { Threads = 1, KvType = KvType.Float32, WarmUp = false };
    private TinyFolder folder = null!;
    private TierFolder disk = null!;

    [OneTimeSetUp]
    public void Write() => folder = new TinyFolder();

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [SetUp]
    public void MakeDisk() => disk = new TierFolder();

    [TearDown]
    public void DeleteDisk() => disk.Dispose();

    [Test]
    public void A_random_conversation_gets_the_bits_that_an_engine_without_cache_gives(
        [Values] KvType type, [Values(Activations.Float, Activations.Int8)] Activations activations, [Values(0, 1, 2)] int tiers)
    {
        var options = usual with { KvType = type, Activations = activations };
        using var plain = Open(options with { PrefixCaching = false });
        var block = BlockTokens * plain.Memory.TokenBytes;
        using var tiered = Open(options with
        {
            KvMemory = 12 * block, MaxBatchedTokens = 48, KvHostMemory = tiers != 1 ? 16 * block : 0, KvDisk = tiers != 0 ? disk.Path : null,
            KvDiskSize = 8192 + (40 * (block + 8192)),
        });
        var turn = Gen.Select(Gen.Int[0, 2], Gen.Int[1, 30], Gen.Int[1, 12], Gen.Int[0, 1000]);
        Gen.Select(turn.Array[1, 5], turn.Array[1, 5]).Sample((first, second) =>
        {
            var (one, other) = (Talk(tiered, first), Talk(tiered, second));
            var expected = (Talk(plain, first).Result, Talk(plain, second).Result);
            return one.Result.SequenceEqual(expected.Item1) && other.Result.SequenceEqual(expected.Item2);
        }, iter: 40, threads: 1);
        var seen = tiered.Snapshot();
        Assert.That(tiered.Warnings.Where(warning => warning.Contains("tier", StringComparison.Ordinal)), Is.Empty);
        Assert.That(seen.FromTiers.Total, Is.GreaterThan(0), "some of it was to come from the tiers");
        Assert.That(tiers == 0 ? seen.FromTiers.Disk : tiers == 1 ? seen.FromTiers.Host : 0, Is.Zero);
        Assert.That(tiered.Core.Blocks.Free, Is.EqualTo(tiered.Core.Blocks.Blocks));
    }

    [Test]
    public async Task The_next_engine_begins_with_what_the_last_one_had()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        int[] expected;
        await using (var first = Open(options)) expected = await Ids(first.Generate(Long, Greedy));
        await using var second = Open(options);
        var again = second.Generate(Long, Greedy);
        Assert.That(await Ids(again), Is.EqualTo(expected));
        Assert.That((again.Stats.CachedTokens, again.Stats.FromTiers), Is.EqualTo((96, new TierTokens(0, 96, 0))));
        // By now they are in the cache itself.
        var third = second.Generate(Long, Greedy);
        Assert.That(await Ids(third), Is.EqualTo(expected));
        Assert.That((third.Stats.CachedTokens, third.Stats.FromTiers), Is.EqualTo((96, default(TierTokens))));
    }

    [Test]
    public async Task A_copy_of_the_file_in_use_serves_as_what_a_killed_engine_leaves()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        await using var first = Open(options);
        var expected = await Ids(first.Generate(Long, Greedy));
        Written(first);
        using var left = new TierFolder();
        var bytes = new byte[new FileInfo(disk.File).Length];
        // As another process sees it, which asks nobody for locks.
        using (var handle = System.Diagnostics.Process.Start("cp", [disk.File, left.Path])) await handle.WaitForExitAsync();
        Assert.That(new FileInfo(left.File).Length, Is.EqualTo(bytes.Length));
        await using var second = Open(options with { KvDisk = left.Path });
        var again = second.Generate(Long, Greedy);
        Assert.That(await Ids(again), Is.EqualTo(expected));
        Assert.That(again.Stats.FromTiers.Disk, Is.EqualTo(96));
    }

    [Test]
    public async Task What_the_cache_gave_up_comes_back_from_memory()
    {
        await using var engine = Open(usual with { KvMemory = 16 * Block(), KvHostMemory = 100 * Block() });
        var expected = await Ids(engine.Generate(Long, Greedy));
        Written(engine);
        for (var i = 0; i < 6; i++) await Ids(engine.Generate([.. Long.Select(token => (token + i + 1) % 300)], Greedy));
        var again = engine.Generate(Long, Greedy);
        Assert.That(await Ids(again), Is.EqualTo(expected));
        Assert.That(again.Stats.FromTiers.Host, Is.EqualTo(96));
        Assert.That(engine.Snapshot().FromTiers.Host, Is.EqualTo(96));
    }

    [Test]
    public async Task What_was_on_disk_is_in_memory_after_it_was_asked_for()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20, KvMemory = 16 * Block() };
        await using (var first = Open(options)) await Ids(first.Generate(Long, Greedy));
        await using var second = Open(options with { KvHostMemory = 100 * Block() });
        await Ids(second.Generate(Long, Greedy));
        for (var i = 0; i < 6; i++) await Ids(second.Generate([.. Long.Select(token => (token + i + 1) % 300)], Greedy));
        var again = second.Generate(Long, Greedy);
        await Ids(again);
        Assert.That(again.Stats.FromTiers, Is.EqualTo(new TierTokens(96, 0, 0)));
    }

    [Test]
    public async Task A_damaged_block_is_computed_again_and_so_is_what_follows_it()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        int[] expected;
        await using (var first = Open(options)) expected = await Ids(first.Generate(Long, Greedy));
        var bytes = File.ReadAllBytes(disk.File);
        var image = (int)Block();
        var firstSlot = 4096 + 4096 * (int)Math.Ceiling(Slots(bytes) * 64 / 4096.0);
        bytes[firstSlot + (2 * ((image + 4095) / 4096 * 4096)) + 100] ^= 1;
        File.WriteAllBytes(disk.File, bytes);
        await using var second = Open(options);
        var again = second.Generate(Long, Greedy);
        Assert.That(await Ids(again), Is.EqualTo(expected));
        Assert.That(again.Stats.FromTiers.Disk, Is.EqualTo(32));

        static long Slots(byte[] file) => BitConverter.ToInt64(file, 32);
    }

    [Test]
    public async Task Other_weights_find_nothing_in_the_folder()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        await using (var first = Open(options)) await Ids(first.Generate(Long, Greedy));
        using var other = new TinyFolder(seed: 2);
        await using var second = new Engine(LoadedModel.Open(other.Path, options, null, default), options);
        await using var plain = new Engine(LoadedModel.Open(other.Path, usual, null, default), usual);
        var reply = second.Generate(Long, Greedy);
        Assert.That(await Ids(reply), Is.EqualTo(await Ids(plain.Generate(Long, Greedy))));
        Assert.That(reply.Stats.CachedTokens, Is.Zero);
    }

    [TestCase(KvType.BFloat16, Activations.Float, 16)]
    [TestCase(KvType.Float32, Activations.Int8, 16)]
    [TestCase(KvType.Float32, Activations.Float, 32)]
    public async Task Other_bits_are_of_another_file(KvType type, Activations activations, int blockTokens)
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        await using (var first = Open(options)) await Ids(first.Generate(Long, Greedy));
        await using var second = Open(options with { KvType = type, Activations = activations, BlockTokens = blockTokens });
        var reply = second.Generate(Long, Greedy);
        await Ids(reply);
        Assert.That(reply.Stats.CachedTokens, Is.Zero);
        Assert.That(Directory.GetFiles(disk.Path), Has.Length.EqualTo(2));
    }

    [TestCase("a", null, "a", null, true)]
    [TestCase("a", null, "b", null, false)]
    [TestCase(null, null, "a", null, false)]
    [TestCase(null, "a", null, "a", true)]
    [TestCase(null, "a", null, "b", false)]
    [TestCase(null, "a", null, null, false)]
    [TestCase("b", "a", "a", "b", false)]
    public async Task Tenants_and_salts_stay_apart_in_the_tiers(string? salt, string? tenant, string? otherSalt, string? otherTenant, bool shares)
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        var request = new GenerationRequest { Tokens = Long, Sampling = Greedy, CacheSalt = salt, Tenant = tenant };
        await using (var first = Open(options)) await Ids(first.Submit(request)[0]);
        await using var second = Open(options);
        var reply = second.Submit(request with { CacheSalt = otherSalt, Tenant = otherTenant })[0];
        await Ids(reply);
        Assert.That(reply.Stats.CachedTokens, Is.EqualTo(shares ? 96 : 0));
    }

    [Test]
    public async Task Requests_that_begin_alike_load_it_once()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        await using (var first = Open(options)) await Ids(first.Generate(Long, Greedy));
        await using var second = Open(options);
        var replies = second.Submit(new GenerationRequest { Tokens = Long, Choices = 4, Sampling = Greedy with { Temperature = 1, Seed = 5 } });
        foreach (var reply in replies) await Ids(reply);
        Assert.That(replies.Select(reply => reply.Stats.CachedTokens), Is.All.EqualTo(96));
        Assert.That(replies.Sum(reply => reply.Stats.FromTiers.Disk), Is.EqualTo(96));
    }

    [Test]
    public async Task Requests_that_are_given_up_while_their_blocks_come_leave_none_behind()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20 };
        await using (var first = Open(options)) await Ids(first.Generate(Long, Greedy));
        await using var second = Open(options);
        for (var i = 0; i < 50; i++)
        {
            using var cancel = new CancellationTokenSource();
            var reply = second.Generate(Long, Greedy, cancel.Token);
            if (i % 2 == 0) await Task.Yield();
            await cancel.CancelAsync();
            await reply.ReadToEndAsync(CancellationToken.None);
            if (i % 5 == 0) await second.ResetPrefixCacheAsync();
        }
        Assert.That(await second.ResetPrefixCacheAsync(), Is.True);
        Assert.That(SpinWait.SpinUntil(() => second.Core.Blocks.Free == second.Core.Blocks.Blocks, TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task Forgetting_reaches_the_tiers_of_this_process()
    {
        var options = usual with { KvDisk = disk.Path, KvDiskSize = 1 << 20, KvHostMemory = 100 * Block() };
        await using (var engine = Open(options))
        {
            await Ids(engine.Generate(Long, Greedy));
            Written(engine);
            Assert.That(await engine.ResetPrefixCacheAsync(), Is.True);
            var reply = engine.Generate(Long[..50], Greedy);
            await Ids(reply);
            Assert.That(reply.Stats.CachedTokens, Is.Zero);
            Written(engine);
            await engine.ResetPrefixCacheAsync();
        }
        await using var next = Open(options);
        var again = next.Generate(Long, Greedy);
        await Ids(again);
        Assert.That(again.Stats.CachedTokens, Is.Zero);
    }

    [Test]
    public async Task An_engine_whose_disk_cannot_be_had_says_so_and_works()
    {
        var path = Path.Combine(disk.Path, "file");
        File.WriteAllText(path, "");
        await using var engine = Open(usual with { KvDisk = Path.Combine(path, "below"), KvDiskSize = 1 << 20 });
        Assert.That(engine.Warnings, Has.Some.Contains("no disk tier"));
        Assert.That(await Ids(engine.Generate(Long, Greedy)), Has.Length.EqualTo(20));
    }

    [Test]
    public void Options_without_sense_are_refused()
    {
        Refused(usual with { KvHostMemory = -1 }, "KvHostMemory");
        Refused(usual with { KvDisk = "", }, "KvDisk");
        Refused(usual with { KvDisk = "x", KvDiskSize = 0 }, "KvDiskSize");
        Refused(usual with { KvHostMemory = 1, PrefixCaching = false }, "PrefixCaching");
        Refused(usual with { KvHostMemory = 1 << 20, Device = "gpu:0" }, "gpu:0");
        Assert.That(() => Open(usual with { KvHostMemory = 1 }), Throws.ArgumentException.With.Message.Contains("KvHostMemory"));

        static void Refused(EngineOptions options, string name) =>
            Assert.That(options.Validate, Throws.ArgumentException.With.Message.Contains(name));
    }

    private static long Block() => BlockTokens * 2 * TinyMiniMax.Layers * 2 * 16 * sizeof(float);

    /// <summary>Waits until the tiers have all that the engine computed.</summary>
    private static void Written(Engine engine) =>
        Assert.That(SpinWait.SpinUntil(() => engine.Core.Unwritten == 0, TimeSpan.FromMinutes(1)), "the tiers were not written");

    private Engine Open(EngineOptions options) => new(LoadedModel.Open(folder.Path, options, null, default), options);

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
