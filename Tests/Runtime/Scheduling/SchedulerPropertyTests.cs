using CsCheck;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>
/// A hundred thousand random schedules on a machine that exists on paper: its cache holds in each slot the name of the tokens up to there, its
/// sequences grow by a token that depends on all before it. Requests come, repeat each other's beginnings, are cancelled, run out of blocks.
/// </summary>
public sealed class SchedulerPropertyTests
{
    private const int Schedules = 100_000;

    private sealed record Load(int Blocks, int BlockTokens, SchedulerOptions Options, int PromptTokens, Arrival[] Arrivals);

    private readonly record struct Arrival(int Step, int Prefix, int Prompt, int Reply, int Priority, int Salt, int CancelAfter, bool PromptLogits);

    private static readonly Gen<SchedulerOptions> SomeOptions =
        from batched in Gen.Int[1, 24]
        from sequences in Gen.Int[1, 5]
        from partial in Gen.Int[1, 4]
        from longs in Gen.Int[1, 2]
        from longTokens in Gen.Int[0, 10]
        from priority in Gen.Bool
        from caching in Gen.Bool
        from watermark in Gen.Int[0, 2]
        select new SchedulerOptions
        {
            MaxBatchedTokens = Math.Max(batched, sequences), MaxSequences = sequences, MaxLogitRows = sequences, MaxPartialPrompts = partial,
            MaxLongPartialPrompts = longs, LongPromptTokens = longTokens, ByPriority = priority, PriorityAging = 4, PrefixCaching = caching,
            WatermarkBlocks = watermark,
        };

    private static readonly Gen<Arrival> SomeArrival =
        from step in Gen.Int[0, 12]
        from prefix in Gen.Int[0, 2]
        from prompt in Gen.Int[1, 14]
        from reply in Gen.Int[1, 6]
        from priority in Gen.Int[-1, 1]
        from salt in Gen.Int[0, 5]
        from cancel in Gen.Int[0, 40]
        from logits in Gen.Int[0, 9]
        select new Arrival(step, prefix, prompt, reply, priority, salt == 0 ? 1 : 0, cancel < 6 ? cancel : int.MaxValue, logits == 0);

    private static readonly Gen<Load> SomeLoad =
        from blocks in Gen.Int[2, 10]
        from blockTokens in Gen.Int[1, 4]
        from options in SomeOptions
        from prompt in Gen.Int[1, 24]
        from arrivals in SomeArrival.Array[1, 9]
        select new Load(blocks, blockTokens, options, prompt, arrivals);

    [Test]
    public void Every_request_gets_what_it_gets_alone_and_no_block_is_lost() => SomeLoad.Sample(Holds, iter: Schedules);

    private static void Holds(Load load)
    {
        var pool = new KvBlockPool(load.Blocks, load.BlockTokens);
        var scheduler = new Scheduler(pool, load.Options);
        var memory = new ulong[load.Blocks * load.BlockTokens];
        var live = new Dictionary<Sequence, Arrival>();
        var coming = load.Arrivals.Where(a => a.Prompt + a.Reply <= scheduler.Capacity).OrderBy(a => a.Step).ToList();
        for (var step = 0; coming.Count > 0 || live.Count > 0; step++)
        {
            // Every request needs at most a step a token, and is computed again only for one that came before it.
            Check(step < 2000, "somebody starves");
            while (coming.Count > 0 && coming[0].Step <= step)
            {
                var arrival = coming[0];
                coming.RemoveAt(0);
                var sequence = new Sequence([.. Enumerable.Range(0, arrival.Prompt).Select(i => (10 * arrival.Prefix) + (i % 3))])
                {
                    Priority = arrival.Priority, WantsPromptLogits = arrival.PromptLogits, CacheKeys = arrival.Salt == 0 ? [] : ["salt"],
                };
                live[sequence] = arrival;
                scheduler.Submit(sequence);
            }
            foreach (var (sequence, arrival) in live.Where(pair => pair.Value.CancelAfter <= step - pair.Value.Step).ToArray())
            {
                scheduler.Remove(sequence);
                live.Remove(sequence);
            }

            if (!scheduler.TryPlan(out var plan, load.PromptTokens))
            {
                Check(live.Count == 0, "there is something to do, and nothing is done");
                continue;
            }
            Run(plan, pool, memory, load);
            foreach (var chunk in plan.Chunks)
            {
                if (chunk.LogitRow < 0) continue;
                var sequence = chunk.Sequence;
                if (sequence.Tokens.Count - sequence.PromptLength + 1 < live[sequence].Reply)
                {
                    sequence.Tokens.Add(Next(sequence, load.BlockTokens));
                    continue;
                }
                live.Remove(sequence);
                scheduler.Remove(sequence);
            }
            scheduler.Return(plan);
            Check(Enumerable.Range(0, pool.Blocks).Count(b => pool.References(b) == 0) == pool.Free && pool.FreeQueue.Count() == pool.Free,
                "the free queue is not what nobody holds");
        }
        Check(pool.Free == pool.Blocks && scheduler.Running == 0 && scheduler.Waiting == 0, "a block is lost");
    }

    /// <summary>Writes what the step computes, then reads all that it looks back on.</summary>
    private static void Run(StepPlan plan, KvBlockPool pool, ulong[] memory, Load load)
    {
        var options = load.Options;
        Check(plan.Tokens.Length <= options.MaxBatchedTokens, "more tokens than the budget has");
        Check(plan.Chunks.Length <= options.MaxSequences, "more sequences than may run");
        Check(plan.LogitRows.Length <= options.MaxLogitRows, "more rows of logits than there is room for");
        Check(plan.Chunks.ToArray().Where(c => c.Start + 1 < c.Sequence.Tokens.Count).Sum(c => c.Count) <= load.PromptTokens,
            "prompts take too much");
        Check(plan.Slots.ToArray().Distinct().Count() == plan.Slots.Length, "two tokens go to one slot");
        var row = 0;
        foreach (var chunk in plan.Chunks)
        {
            for (var i = 0; i < chunk.Count; i++, row++)
            {
                Check(plan.Positions[row] == chunk.Start + i, "positions are not in order");
                memory[plan.Slots[row]] = Name(chunk.Sequence, chunk.Start + i);
            }
        }
        foreach (var chunk in plan.Chunks)
        {
            for (var position = 0; position < chunk.Start + chunk.Count; position++)
            {
                var slot = (chunk.Sequence.BlockTable[position / load.BlockTokens] * load.BlockTokens) + (position % load.BlockTokens);
                Check(memory[slot] == Name(chunk.Sequence, position), "the cache holds something else");
            }
        }
    }

    private static int Next(Sequence sequence, int blockTokens) => (int)(Name(sequence, sequence.Tokens.Count - 1) % 3) + blockTokens;

    private static ulong Name(Sequence sequence, int position)
    {
        var name = sequence.CacheKeys.Length == 0 ? 14695981039346656037ul : 1;
        for (var i = 0; i <= position; i++) name = (name ^ (ulong)(sequence.Tokens[i] + 1)) * 1099511628211;
        return name;
    }

    private static void Check(bool holds, string what)
    {
        if (!holds) throw new AssertionException(what);
    }
}
