using CsCheck;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>
/// Random schedules on a machine on paper with a tier behind it: each slot of its cache holds the sum of all tokens up to there. Loads end after any
/// number of steps with any number of their blocks; requests are cancelled meanwhile; blocks are few.
/// </summary>
public sealed class PrefixLoadsTests
{
    private const int Schedules = 20_000;

    private readonly record struct Arrival(int Step, int Prefix, int Prompt, int Reply, int Salt, int CancelAfter);

    private static readonly Gen<Arrival> SomeArrival =
        from step in Gen.Int[0, 30]
        from prefix in Gen.Int[0, 1]
        from prompt in Gen.Int[1, 14]
        from reply in Gen.Int[1, 6]
        from salt in Gen.Int[0, 5]
        from cancel in Gen.Int[0, 40]
        select new Arrival(step, prefix, prompt, reply, salt == 0 ? 1 : 0, cancel < 8 ? cancel : int.MaxValue);

    private static int loaded;

    [Test]
    public void Every_step_finds_what_it_reads_and_no_block_is_lost()
    {
        loaded = 0;
        Gen.Select(Gen.Int[7, 12], Gen.Int[1, 4], Gen.Int[1, 12], Gen.Int, SomeArrival.Array[1, 9]).Sample(Holds, iter: Schedules);
        Assert.That(loaded, Is.GreaterThan(Schedules / 10), "much was to come from the tier");
    }

    private static void Holds(int blocks, int blockTokens, int batch, int seed, Arrival[] arrivals)
    {
        var random = new Random(seed);
        var pool = new KvBlockPool(Math.Max(blocks, (20 / blockTokens) + 2), blockTokens);
        var (cache, tier, underway) = (new long[pool.Blocks * blockTokens], new Dictionary<BlockHash, long[]>(), new List<TierLoad>());
        var loads = new PrefixLoads(pool, tier.ContainsKey, underway.Add);
        var offers = new TierOffers(pool, (hash, block) =>
        {
            if (random.Next(4) == 0) return false;
            if (tier.Count > 20) tier.Remove(tier.Keys.First());
            tier[hash] = cache[(block * blockTokens)..((block + 1) * blockTokens)];
            return true;
        });
        var scheduler = new Scheduler(pool, new SchedulerOptions { MaxBatchedTokens = batch, MaxSequences = 3, PrefixCaching = true }, loads, offers);
        var live = new List<(Sequence Sequence, Arrival Arrival)>();
        for (var step = 0; step < 1000 && (step <= 30 || live.Count > 0 || underway.Count > 0); step++)
        {
            foreach (var arrival in arrivals.Where(one => one.Step == step))
            {
                var sequence = new Sequence([.. Enumerable.Range(0, arrival.Prompt).Select(i => (arrival.Prefix * 7) + i)])
                    { CacheKeys = arrival.Salt == 0 ? [] : ["salt"] };
                live.Add((sequence, arrival));
                scheduler.Submit(sequence);
            }
            for (var i = live.Count - 1; i >= 0; i--)
            {
                if (step - live[i].Arrival.Step < live[i].Arrival.CancelAfter) continue;
                scheduler.Remove(live[i].Sequence);
                live.RemoveAt(i);
            }
            for (var i = underway.Count - 1; i >= 0; i--)
            {
                if (random.Next(3) == 0) End(underway[i]);
            }
            if (!scheduler.TryPlan(out var plan)) continue;
            Run(plan);
            foreach (var chunk in plan.Chunks)
            {
                var (sequence, arrival) = live.Single(one => one.Sequence == chunk.Sequence);
                if (chunk.LogitRow >= 0) sequence.Tokens.Add(chunk.Sequence.Tokens[^1] + 1);
                if (sequence.Tokens.Count < arrival.Prompt + arrival.Reply) continue;
                scheduler.Remove(sequence);
                live.Remove((sequence, arrival));
            }
            scheduler.Return(plan);
            offers.Send();
            if (random.Next(20) == 0) scheduler.TryForgetPrefixes(restartRunning: true);
        }
        Assert.That((live.Count, underway.Count, loads.Underway, pool.Free), Is.EqualTo((0, 0, 0, pool.Blocks)));

        void End(TierLoad load)
        {
            underway.Remove(load);
            var first = load.Table.Count - load.Hashes.Length;
            for (var i = 0; i < load.Hashes.Length && random.Next(6) > 0 && tier.TryGetValue(load.Hashes[i], out var held); i++)
            {
                held.CopyTo(cache, load.Table[first + i] * blockTokens);
                load.Found.Add(KvTierKind.Host);
                Interlocked.Increment(ref loaded);
            }
            loads.Finish(load);
        }

        // What a token's slot holds depends on all before it, and on whose it is.
        void Run(StepPlan plan)
        {
            foreach (var chunk in plan.Chunks)
            {
                var sequence = chunk.Sequence;
                long sum = sequence.CacheKeys.Length;
                for (var position = 0; position < chunk.Start + chunk.Count; position++)
                {
                    var slot = (sequence.BlockTable[position / blockTokens] * blockTokens) + (position % blockTokens);
                    sum = unchecked((sum * 31) + sequence.Tokens[position] + 1);
                    if (position >= chunk.Start) cache[slot] = sum;
                }
            }
            foreach (var chunk in plan.Chunks)
            {
                long sum = chunk.Sequence.CacheKeys.Length;
                for (var position = 0; position < chunk.Start + chunk.Count; position++)
                {
                    var slot = (chunk.Sequence.BlockTable[position / blockTokens] * blockTokens) + (position % blockTokens);
                    sum = unchecked((sum * 31) + chunk.Sequence.Tokens[position] + 1);
                    Assert.That(cache[slot], Is.EqualTo(sum));
                }
            }
        }
    }
}
