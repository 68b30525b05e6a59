using Microsoft.Extensions.ObjectPool;
using Quilt.Runtime.Kv;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Chooses what runs next and books its cache blocks: first come, first served, decoding and prompts in one step, long prompts in chunks. Where
/// blocks run out the youngest sequence gives its blocks back and is computed again later; the oldest always advances (docs/scheduling.md).
/// </summary>
internal sealed class Scheduler(KvBlockPool pool, int blockTokens, int stepTokens, int maxSequences)
{
    private readonly ObjectPool<StepPlan> plans = new DefaultObjectPoolProvider().Create<StepPlan>();
    private readonly List<Sequence> running = [];
    private readonly LinkedList<Sequence> waiting = new();

    /// <summary>Sequences that hold blocks.</summary>
    public int Running => running.Count;

    /// <summary>Sequences that wait for their turn.</summary>
    public int Waiting => waiting.Count;

    /// <summary>Times a sequence had to give its blocks back.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Most tokens a sequence can ever have here.</summary>
    public int Capacity => pool.Blocks * blockTokens;

    /// <summary>Queues a sequence.</summary>
    public void Submit(Sequence sequence) => waiting.AddLast(sequence);

    /// <summary>Plans the next step; false if there is nothing to do. The plan goes back by <see cref="Return"/>.</summary>
    public bool TryPlan(out StepPlan plan)
    {
        plan = plans.Get();
        var budget = stepTokens;
        for (var i = 0; i < running.Count && budget > 0; i++)
        {
            var sequence = running[i];
            var count = Math.Min(sequence.Tokens.Count - sequence.Computed, budget);
            if (!Book(sequence, count, mayPreemptAfter: i)) break;
            plan.Add(sequence, count, blockTokens, LogitsOf.LastToken);
            budget -= count;
        }

        while (budget > 0 && running.Count < maxSequences && waiting.First is { } first)
        {
            // A newcomer needs room for all it has: one that had to leave again at once would only burn time.
            var sequence = first.Value;
            if (BlocksFor(sequence.Tokens.Count) > pool.Free) break;
            var count = Math.Min(sequence.Tokens.Count, budget);
            Book(sequence, count, mayPreemptAfter: running.Count);
            waiting.RemoveFirst();
            running.Add(sequence);
            plan.Add(sequence, count, blockTokens, LogitsOf.LastToken);
            budget -= count;
        }

        if (!plan.IsEmpty) return true;
        plans.Return(plan);
        return false;
    }

    /// <summary>Ends a plan that was run: its tokens are in the cache.</summary>
    public void Return(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks) chunk.Sequence.Computed += chunk.Count;
        plans.Return(plan);
    }

    /// <summary>Takes a sequence out, running or waiting, and frees its blocks.</summary>
    public void Remove(Sequence sequence)
    {
        if (!running.Remove(sequence)) waiting.Remove(sequence);
        pool.Release(sequence.BlockTable);
    }

    private int BlocksFor(int tokens) => (tokens + blockTokens - 1) / blockTokens;

    /// <summary>Gives a sequence the blocks for its next tokens, taking them from running sequences younger than it if need be.</summary>
    private bool Book(Sequence sequence, int count, int mayPreemptAfter)
    {
        var missing = BlocksFor(sequence.Computed + count) - sequence.BlockTable.Count;
        while (missing > 0 && !pool.TryAllocate(missing, sequence.BlockTable))
        {
            if (running.Count - 1 <= mayPreemptAfter)
            {
                // It is the youngest itself: it steps back, unless it is alone, which the capacity check at the door excludes.
                Preempt(running.Count - 1);
                return false;
            }
            Preempt(running.Count - 1);
        }
        return true;
    }

    private void Preempt(int index)
    {
        var sequence = running[index];
        running.RemoveAt(index);
        pool.Release(sequence.BlockTable);
        sequence.Computed = 0;
        waiting.AddFirst(sequence);
        Preemptions++;
    }
}
