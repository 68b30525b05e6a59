using System.Diagnostics;
using Microsoft.Extensions.ObjectPool;
using Quilt.Runtime.Kv;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Chooses what runs next and books its cache blocks: decoding first, then prompts in parts, then newcomers, within one budget of tokens. Where
/// blocks run out the sequence that came last, or is the least urgent, gives its blocks back and is computed again later; the first always advances.
/// The same arrivals give the same plans. (docs/scheduling.md)
/// </summary>
/// <param name="pool">The blocks.</param>
/// <param name="options">The bounds.</param>
/// <param name="loads">Looks for what is not in the cache behind it; null: there is nothing behind it.</param>
/// <param name="offers">Takes what is in the cache, to be kept behind it; null: nobody does.</param>
internal sealed class Scheduler(KvBlockPool pool, SchedulerOptions options, PrefixLoads? loads = null, TierOffers? offers = null)
{
    /// <summary>Long prompts that are passed over in one step to look for a short one behind them.</summary>
    private const int MostPassedOver = 32;

    private readonly ObjectPool<StepPlan> plans = new DefaultObjectPoolProvider().Create<StepPlan>();
    private readonly List<Sequence> running = [];
    private readonly List<Share> shares = [];
    private readonly List<Sequence> passedOver = [];
    private readonly List<int> hits = [];
    private readonly SequenceBlocks blocks = new(pool, options.PrefixCaching, offers);
    private readonly int blockTokens = pool.BlockTokens;
    private readonly WaitingQueue queue = new();
    private long arrivals;
    private long step;

    /// <summary>Sequences that hold blocks, in the order in which they were admitted.</summary>
    public IReadOnlyList<Sequence> RunningSequences => running;

    /// <summary>Sequences that wait for their turn, in the order in which it comes.</summary>
    public IEnumerable<Sequence> WaitingSequences => queue.InOrder;

    /// <summary>Sequences that hold blocks.</summary>
    public int Running => running.Count;

    /// <summary>Sequences that wait for their turn.</summary>
    public int Waiting => queue.Count;

    /// <summary>Times a sequence had to give its blocks back.</summary>
    public long Preemptions { get; private set; }

    /// <summary>What the prefix cache gave.</summary>
    public PrefixStats Prefixes { get; } = new();

    /// <summary>Most tokens a sequence can ever have here.</summary>
    public int Capacity => pool.Blocks * blockTokens;

    /// <summary>Whether a running sequence waits for its next token, which a long step would hold up.</summary>
    public bool IsDecoding
    {
        get
        {
            foreach (var sequence in running)
            {
                if (sequence.IsDecoding) return true;
            }
            return false;
        }
    }

    /// <summary>Queues a sequence. It came now, unless it says when.</summary>
    public void Submit(Sequence sequence)
    {
        if (sequence.Arrival < 0) sequence.Arrival = arrivals + 1;
        arrivals = Math.Max(arrivals, sequence.Arrival);
        sequence.Rank = options.ByPriority ? ((long)sequence.Priority * options.PriorityAging) + sequence.Arrival : sequence.Arrival;
        queue.Add(sequence);
    }

    /// <summary>Plans the next step; false if there is nothing to do. The plan goes back by <see cref="Return"/> once it was run.</summary>
    /// <param name="plan">The step.</param>
    /// <param name="promptTokens">Most tokens of prompts in it, where replies must not be held up for longer.</param>
    public bool TryPlan(out StepPlan plan, int promptTokens = int.MaxValue)
    {
        var preemptions = Preemptions;
        var left = new Budget(options.MaxBatchedTokens, promptTokens, options.MaxLogitRows);
        shares.Clear();
        step++;
        ShareAmongRunning(ref left, decoding: true);
        ShareAmongRunning(ref left, decoding: false);

        plan = plans.Get();
        foreach (var share in shares) Commit(share, plan);
        // Who had to give up blocks comes before any newcomer.
        if (Preemptions == preemptions) Admit(ref left, plan);
        if (!plan.IsEmpty) return true;
        plans.Return(plan);
        return false;
    }

    /// <summary>Takes back a plan that was run.</summary>
    public void Return(StepPlan plan) => plans.Return(plan);

    /// <summary>Takes a sequence out, running or waiting, and frees its blocks; what they hold can still be found.</summary>
    public void Remove(Sequence sequence)
    {
        if (!queue.Remove(sequence)) running.Remove(sequence);
        if (sequence.Load is { } load) load.IsAbandoned = true;
        sequence.Load = null;
        blocks.Release(sequence);
    }

    /// <summary>
    /// Forgets all that is cached, if nothing runs; or if <paramref name="restartRunning"/>, with what runs computed again from its start.
    /// </summary>
    /// <returns>False: something runs, and nothing has changed.</returns>
    public bool TryForgetPrefixes(bool restartRunning)
    {
        if (running.Count > 0 && !restartRunning) return false;
        while (running.Count > 0) Preempt(running[^1]);
        loads?.Abandon();
        offers?.Clear();
        pool.Forget();
        return true;
    }

    // Decoding and prompts are two rounds: a prompt must not take the tokens that replies need.
    private void ShareAmongRunning(ref Budget left, bool decoding)
    {
        for (var i = 0; i < running.Count && left.Tokens > 0; i++)
        {
            var sequence = running[i];
            if (sequence.IsDecoding != decoding || sequence.Missing == 0 || sequence.SharedIn == step) continue;
            var count = left.For(sequence, decoding ? int.MaxValue : LongLimit(sequence));
            if (count == 0) continue;
            var preemptions = Preemptions;
            if (Book(sequence, count, ref left))
            {
                sequence.SharedIn = step;
                Take(new Share(sequence, count, IsPrompt: !decoding), ref left);
            }
            // Whoever left the list did so anywhere in it: those that have their share are passed.
            if (Preemptions != preemptions) i = -1;
        }
    }

    /// <summary>Books the blocks that a sequence needs for so many more tokens; false if it had to give up its own.</summary>
    private bool Book(Sequence sequence, int count, ref Budget left)
    {
        while (!blocks.TryGrow(sequence, sequence.Computed + count))
        {
            var victim = Last();
            for (var i = 0; i < shares.Count; i++)
            {
                // It has been given tokens in this step already, which others may have now.
                if (shares[i].Sequence != victim) continue;
                left.Return(shares[i]);
                shares.RemoveAt(i);
                break;
            }
            Preempt(victim);
            if (victim == sequence) return false;
        }
        return true;
    }

    private void Admit(ref Budget left, StepPlan plan)
    {
        var (partial, longs) = CountPartial();
        var promised = Promised();
        while (left.Tokens > 0 && running.Count < options.MaxSequences && queue.Count > 0)
        {
            var sequence = queue.First;
            var missing = sequence.Tokens.Count - blocks.Find(sequence, hits);
            var count = left.Of(missing, LongLimit(sequence, missing), sequence.WantsPromptLogits);
            if (count < missing && missing > LongTokens && longs >= options.MaxLongPartialPrompts)
            {
                // Short ones behind it may pass; it keeps its place.
                if (passedOver.Count == MostPassedOver) break;
                queue.Remove(sequence);
                passedOver.Add(sequence);
                continue;
            }
            if (count == 0 || (count < missing && partial >= options.MaxPartialPrompts)) break;

            // A newcomer needs room for all it has, and for what was promised: one that had to leave again at once would only burn time.
            if (blocks.Needed(sequence.Tokens.Count, hits) + promised > pool.Free - (running.Count > 0 ? options.WatermarkBlocks : 0)) break;
            if (options.PrefixCaching && loads?.Awaits(sequence, hits) == true)
            {
                if (passedOver.Count == MostPassedOver) break;
                queue.Remove(sequence);
                passedOver.Add(sequence);
                continue;
            }
            queue.Remove(sequence);
            Begin(sequence, count);
            Take(new Share(sequence, count, IsPrompt: true), ref left);
            Commit(shares[^1], plan);
            if (count == missing) continue;
            partial++;
            if (missing - count > LongTokens) longs++;
            promised += blocks.For(sequence.Tokens.Count) - sequence.BlockTable.Count;
        }
        foreach (var sequence in passedOver) queue.Add(sequence);
        passedOver.Clear();
    }

    private void Begin(Sequence sequence, int count)
    {
        var booked = blocks.TryBegin(sequence, hits, (hits.Count * blockTokens) + count);
        Debug.Assert(booked, "scheduler: a newcomer without room");
        sequence.FromTiers = sequence.Load?.TokensIn(hits.Count, blockTokens) ?? default;
        sequence.Load = null;
        if (options.PrefixCaching) Prefixes.Count(sequence, sequence.Cached);
        running.Add(sequence);
    }

    private void Take(in Share share, ref Budget left)
    {
        shares.Add(share);
        left.Take(share);
    }

    /// <summary>Puts a share into the plan.</summary>
    private void Commit(in Share share, StepPlan plan)
    {
        var sequence = share.Sequence;
        plan.Add(sequence, share.Count, blockTokens, sequence is { WantsPromptLogits: true, IsDecoding: false }
            ? LogitsOf.EveryToken
            : LogitsOf.LastToken);
        sequence.Computed += share.Count;
        blocks.Publish(sequence);
    }

    private void Preempt(Sequence sequence)
    {
        running.Remove(sequence);
        blocks.Release(sequence);
        sequence.WasPreempted = true;
        queue.Add(sequence);
        Preemptions++;
    }

    /// <summary>Who gives way: the last to come, or the least urgent.</summary>
    private Sequence Last()
    {
        var last = running[^1];
        for (var i = running.Count - 2; i >= 0; i--)
        {
            if (WaitingQueue.Compare(running[i], last) > 0) last = running[i];
        }
        return last;
    }

    private (int Partial, int Long) CountPartial()
    {
        var (partial, longs) = (0, 0);
        foreach (var sequence in running)
        {
            if (sequence.Computed >= sequence.Tokens.Count || sequence.IsDecoding) continue;
            partial++;
            if (sequence.Missing > LongTokens) longs++;
        }
        return (partial, longs);
    }

    /// <summary>Blocks that running sequences will need for the tokens they have.</summary>
    private int Promised()
    {
        var promised = 0;
        foreach (var sequence in running) promised += Math.Max(0, blocks.For(sequence.Tokens.Count) - sequence.BlockTable.Count);
        return promised;
    }

    private int LongTokens => options.LongPromptTokens > 0 ? options.LongPromptTokens : Math.Max(1, options.MaxBatchedTokens / 2);

    private int LongLimit(Sequence sequence) => LongLimit(sequence, sequence.Missing);

    // What was not asked for is not enforced where it helps nobody: a lone long prompt is read as fast as it can be.
    private int LongLimit(Sequence sequence, int missing)
    {
        if (options.LongPromptTokens > 0) return options.LongPromptTokens;
        if (missing <= LongTokens) return int.MaxValue;
        if (queue.Count > 1 || (queue.Count == 1 && queue.First != sequence)) return LongTokens;
        foreach (var other in running)
        {
            if (other != sequence && !other.IsDecoding) return LongTokens;
        }
        return int.MaxValue;
    }
}
