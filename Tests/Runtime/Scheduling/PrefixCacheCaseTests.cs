using System.Text.Json;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>
/// Scripts of another engine's block pool and prefix cache, run on ours. Block 0 is reserved there and absent here. Where versions differ a freed
/// block without a hash goes to the head of the queue, <c>prepend</c>.
/// </summary>
[Category("Conformance")]
public sealed class PrefixCacheCaseTests
{
    private readonly Dictionary<string, Sequence> sequences = [];
    private readonly Dictionary<string, List<int>> hits = [];
    private KvBlockPool pool = null!;
    private SequenceBlocks blocks = null!;
    private int first;

    public static IEnumerable<TestCaseData> Scripts() => Cases.OfKind("prefix_cache");

    public static IEnumerable<TestCaseData> Chains() => Cases.OfKind("block_hash_sha256_cbor");

    [TestCaseSource(nameof(Scripts))]
    public void A_script_runs_as_recorded(JsonElement? test)
    {
        var script = Cases.Given(test);
        var config = script.GetProperty("config");
        first = config.GetProperty("null_block").GetInt32() + 1;
        pool = new KvBlockPool(config.GetProperty("num_blocks").GetInt32() - first, config.GetProperty("block_size").GetInt32());
        blocks = new SequenceBlocks(pool, caching: true);
        sequences.Clear();
        hits.Clear();
        foreach (var op in script.GetProperty("ops").EnumerateArray())
        {
            var sequence = op.TryGetProperty("req", out var id) ? sequences.GetValueOrDefault(id.GetString()!) : null;
            var expect = op.TryGetProperty("expect", out var wanted) ? wanted : default;
            switch (op.GetProperty("op").GetString())
            {
                case "lookup": Lookup(id.GetString()!, op, expect); break;
                case "allocate": Allocate(sequence!, hits[id.GetString()!], op.GetProperty("total_tokens").GetInt32(), expect); break;
                case "append": sequence!.Tokens.AddRange(Integers(op.GetProperty("tokens"))); break;
                case "free": blocks.Release(sequence!); break;
                case "state": Look(expect); break;
                default: Assert.Fail($"an operation that the fixture does not know: {op}"); break;
            }
        }
    }

    [TestCaseSource(nameof(Chains))]
    public void A_chain_has_the_hashes_that_any_process_gives_it(JsonElement? test)
    {
        var c = Cases.Given(test);
        var (tokens, size) = (Integers(c.GetProperty("tokens")), c.GetProperty("block_size").GetInt32());
        var expected = c.GetProperty("expected");
        var (ofFirst, ofEvery) = (Texts(c.GetProperty("extra_keys_first_block")), Texts(c.GetProperty("extra_keys_every_block")));
        var parent = BlockHasher.Root(c.GetProperty("seed").GetString()!);
        Assert.That(parent.ToString(), Is.EqualTo(expected.GetProperty("none_hash").GetString()));

        var chain = new List<BlockHash>();
        for (var i = 0; i < tokens.Length / size; i++)
        {
            parent = BlockHasher.Next(parent, tokens.AsSpan(i * size, size), [.. ofEvery, .. i == 0 ? ofFirst : []]);
            chain.Add(parent);
        }
        Assert.That(chain.Select(hash => hash.ToString()), Is.EqualTo(Texts(expected.GetProperty("block_hashes"))));
        Assert.That(chain.Select(hash => hash.Low64), Is.EqualTo(expected.GetProperty("event_int64").EnumerateArray().Select(n => n.GetUInt64())));
    }

    private void Lookup(string id, JsonElement op, JsonElement expect)
    {
        var sequence = sequences[id] = new Sequence(Integers(op.GetProperty("tokens")))
        {
            WantsPromptLogits = op.TryGetProperty("prompt_logprobs", out var wants) && wants.GetBoolean(),
            CacheKeys = op.TryGetProperty("cache_salt", out var salt) ? [salt.GetString()!] : [],
        };
        var found = hits[id] = [];
        var tokens = blocks.Find(sequence, found);
        if (expect.ValueKind == JsonValueKind.Undefined) return;
        foreach (var wanted in expect.EnumerateObject())
        {
            if (wanted.Name == "hit_tokens") Assert.That(tokens, Is.EqualTo(wanted.Value.GetInt32()), $"{id}: tokens found");
            else if (wanted.Name == "hit_blocks") Assert.That(Names(found), Is.EqualTo(Integers(wanted.Value)), $"{id}: blocks found");
            else Assert.Fail($"an expectation that the fixture does not know: {wanted}");
        }
    }

    private void Allocate(Sequence sequence, List<int> found, int total, JsonElement expect)
    {
        var before = sequence.BlockTable.Count;
        var begins = before == 0;
        var booked = begins ? blocks.TryBegin(sequence, found, total) : blocks.TryGrow(sequence, total);
        if (booked)
        {
            sequence.Computed = total;
            blocks.Publish(sequence);
        }
        if (expect.ValueKind == JsonValueKind.Undefined || !expect.TryGetProperty("new_blocks", out var wanted)) return;
        if (wanted.ValueKind == JsonValueKind.Null)
        {
            Assert.That(booked, Is.False);
            return;
        }
        Assert.That(booked, Is.True);
        var fresh = Names(sequence.BlockTable.Skip(begins ? found.Count : before));
        if (wanted.ValueKind == JsonValueKind.String) Assert.That($"count:{fresh.Length}", Is.EqualTo(wanted.GetString()));
        else Assert.That(fresh, Is.EqualTo(Integers(OfNewest(wanted))));
    }

    private void Look(JsonElement expect)
    {
        foreach (var wanted in expect.EnumerateObject())
        {
            switch (wanted.Name)
            {
                case "num_free": Assert.That(pool.Free, Is.EqualTo(wanted.Value.GetInt32()), wanted.Name); break;
                case "free_queue": Assert.That(Names(pool.FreeQueue), Is.EqualTo(Integers(OfNewest(wanted.Value))), wanted.Name); break;
                case "hashed":
                    foreach (var block in Integers(wanted.Value)) Assert.That(pool.Prefixes.IsPublished(block - first), Is.True, $"{block} hashed");
                    break;
                case "unhashed":
                    foreach (var block in Integers(wanted.Value))
                        Assert.That(pool.Prefixes.IsPublished(block - first), Is.False, $"{block} not hashed");
                    break;
                case "ref":
                    foreach (var count in wanted.Value.EnumerateObject())
                        Assert.That(pool.References(int.Parse(count.Name) - first), Is.EqualTo(count.Value.GetInt32()), $"{count.Name} held");
                    break;
                default: Assert.Fail($"an expectation that the fixture does not know: {wanted}"); break;
            }
        }
    }

    private static JsonElement OfNewest(JsonElement value) => value.ValueKind == JsonValueKind.Object ? value.GetProperty("prepend") : value;

    private int[] Names(IEnumerable<int> ids) => [.. ids.Select(id => id + first)];

    private static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetInt32())];

    private static string[] Texts(JsonElement list) =>
        list.ValueKind == JsonValueKind.Null ? [] : [.. list.EnumerateArray().Select(text => text.GetString()!)];
}
