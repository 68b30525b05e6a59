using CsCheck;
using Quilt.Runtime.Kv;

namespace Quilt.Tests.Runtime.Kv;

public sealed class KvBlockPoolTests
{
    [Test]
    public void Deals_every_block_once_and_then_none()
    {
        var pool = new KvBlockPool(5);
        var table = new List<int>();

        Assert.That(pool.TryAllocate(5, table), Is.True);
        Assert.That(table, Is.EquivalentTo(new[] { 0, 1, 2, 3, 4 }));
        Assert.That(pool.TryAllocate(1, table), Is.False);
        Assert.That(table, Has.Count.EqualTo(5), "a refused request takes nothing");
    }

    [Test]
    public void Frees_a_shared_block_with_its_last_holder()
    {
        var pool = new KvBlockPool(1);
        var table = new List<int>();
        pool.TryAllocate(1, table);

        pool.Share(table[0]);
        pool.Release(table[0]);
        Assert.That(pool.Free, Is.Zero);
        pool.Release(table[0]);
        Assert.That(pool.Free, Is.EqualTo(1));
    }

    [Test]
    public void Refuses_to_free_or_share_a_block_that_nobody_holds()
    {
        var pool = new KvBlockPool(2);

        Assert.That(() => pool.Release(1), Throws.InvalidOperationException.With.Message.Contains("already free"));
        Assert.That(() => pool.Share(0), Throws.InvalidOperationException.With.Message.Contains("is free"));
    }

    /// <summary>Against a plain model: a multiset of holders for each block.</summary>
    [Test]
    public void Never_leaks_or_deals_twice_under_random_schedules()
    {
        Gen.Select(Gen.Int[1, 12], Gen.Select(Gen.Int[0, 2], Gen.Int[0, 20]).Array[0, 200]).Sample((blocks, actions) =>
        {
            var pool = new KvBlockPool(blocks);
            var holders = new int[blocks];
            foreach (var (kind, number) in actions)
            {
                var held = Enumerable.Range(0, blocks).Where(b => holders[b] > 0).ToArray();
                if (kind == 0)
                {
                    var table = new List<int>();
                    var want = number % 4;
                    var got = pool.TryAllocate(want, table);
                    if (got != (want <= blocks - held.Length) || table.Count != (got ? want : 0)) return false;
                    foreach (var block in table)
                    {
                        if (holders[block]++ != 0) return false;
                    }
                }
                else if (held.Length > 0)
                {
                    var block = held[number % held.Length];
                    if (kind == 1) pool.Share(block);
                    else pool.Release(block);
                    holders[block] += kind == 1 ? 1 : -1;
                }
                if (pool.Free != holders.Count(h => h == 0)) return false;
            }
            return true;
        }, iter: 500);
    }
}
