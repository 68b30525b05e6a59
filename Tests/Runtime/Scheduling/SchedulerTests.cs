using CsCheck;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

public sealed class SchedulerTests
{
    private const int BlockTokens = 4;

    [Test]
    public void Reads_a_long_prompt_in_chunks_and_samples_after_the_last()
    {
        var (scheduler, _) = Make(blocks: 8, stepTokens: 5);
        scheduler.Submit(Prompt(12));

        Assert.That(Steps(scheduler, 3), Is.EqualTo(new[] { (5, false), (5, false), (2, true) }));
    }

    [Test]
    public void Decodes_beside_a_prompt_in_the_same_step()
    {
        var (scheduler, _) = Make(blocks: 8, stepTokens: 6);
        var first = Prompt(3);
        scheduler.Submit(first);
        Run(scheduler, plan => first.Tokens.Add(7));
        scheduler.Submit(Prompt(9));

        Assert.That(scheduler.TryPlan(out var step), Is.True);
        Assert.That(step.Chunks.ToArray().Select(c => (c.Count, c.LogitRow)), Is.EqualTo(new[] { (1, 0), (5, -1) }));
        Assert.That(step.Positions.ToArray(), Is.EqualTo(new[] { 3, 0, 1, 2, 3, 4 }));
        scheduler.Return(step);
    }

    [Test]
    public void Lets_the_youngest_give_way_when_blocks_run_out_and_computes_it_again()
    {
        var (scheduler, pool) = Make(blocks: 4, stepTokens: 64);
        var (old, young) = (Prompt(8), Prompt(8));
        scheduler.Submit(old);
        scheduler.Submit(young);
        Run(scheduler, plan => Append(plan));
        Assert.That((scheduler.Running, pool.Free), Is.EqualTo((2, 0)));

        Run(scheduler, plan =>
        {
            Assert.That(plan.Chunks.ToArray().Select(c => c.Sequence), Is.EqualTo(new[] { old }));
            Append(plan);
        });
        Assert.That((scheduler.Running, scheduler.Waiting, scheduler.Preemptions), Is.EqualTo((1, 1, 1L)));

        scheduler.Remove(old);
        Run(scheduler, plan => Assert.That(plan.Chunks[0].Count, Is.EqualTo(9), "prompt and output together"));
    }

    [Test]
    public void Finishes_everything_and_leaks_no_block_under_random_loads()
    {
        Gen.Select(Gen.Int[4, 12], Gen.Int[1, 20], Gen.Int[1, 4], Gen.Select(Gen.Int[1, 10], Gen.Int[1, 6]).Array[1, 12])
            .Sample((blocks, stepTokens, most, requests) =>
        {
            var pool = new KvBlockPool(blocks, BlockTokens);
            var scheduler = new Scheduler(pool, new SchedulerOptions { MaxBatchedTokens = stepTokens, MaxSequences = most });
            var left = new Dictionary<Sequence, int>();
            foreach (var (prompt, output) in requests)
            {
                if (prompt + output > scheduler.Capacity) continue;
                var sequence = Prompt(prompt);
                left[sequence] = output;
                scheduler.Submit(sequence);
            }

            for (var step = 0; left.Count > 0; step++)
            {
                if (step > 2000 || !scheduler.TryPlan(out var plan)) return false;
                if (plan.Tokens.Length > stepTokens || plan.Slots.ToArray().Distinct().Count() != plan.Slots.Length) return false;
                foreach (var chunk in plan.Chunks)
                {
                    if (chunk.LogitRow < 0) continue;
                    chunk.Sequence.Tokens.Add(1);
                    if (--left[chunk.Sequence] > 0) continue;
                    left.Remove(chunk.Sequence);
                    scheduler.Remove(chunk.Sequence);
                }
                scheduler.Return(plan);
            }
            return pool.Free == pool.Blocks && scheduler.Running == 0 && scheduler.Waiting == 0;
        }, iter: 300);
    }

    private static (Scheduler Scheduler, KvBlockPool Pool) Make(int blocks, int stepTokens)
    {
        var pool = new KvBlockPool(blocks, BlockTokens);
        return (new Scheduler(pool, new SchedulerOptions { MaxBatchedTokens = stepTokens, MaxSequences = 16 }), pool);
    }

    private static Sequence Prompt(int length) => new([.. Enumerable.Range(1, length)]);

    private static void Append(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.LogitRow >= 0) chunk.Sequence.Tokens.Add(1);
        }
    }

    private static void Run(Scheduler scheduler, Action<StepPlan> body)
    {
        Assert.That(scheduler.TryPlan(out var plan), Is.True);
        body(plan);
        scheduler.Return(plan);
    }

    private static List<(int Count, bool Samples)> Steps(Scheduler scheduler, int count)
    {
        var steps = new List<(int, bool)>();
        for (var i = 0; i < count; i++) Run(scheduler, plan => steps.Add((plan.Tokens.Length, plan.LogitRows.Length == 1)));
        return steps;
    }
}
