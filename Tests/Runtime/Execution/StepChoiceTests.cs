using CsCheck;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Execution;

/// <summary>The choices of a whole step: on any number of threads, beside any others, each is what it is alone.</summary>
public sealed class StepChoiceTests
{
    private const int Vocabulary = 3000;
    private static readonly CpuDevice[] Devices = new CpuDevice[5];

    [OneTimeTearDown]
    public void Close()
    {
        foreach (var device in Devices) device?.Dispose();
    }

    [Test]
    public void The_same_seed_prompt_and_options_give_the_same_tokens_whatever_else_runs() =>
        Gen.Select(Gen.Int, Gen.Int[1, 24], Gen.Int[1, 4]).Sample((seed, count, threads) =>
        {
            var random = new Random(seed);
            var requests = Enumerable.Range(0, count)
                .Select(i => (Options: Options(random.Next()), Prompt: Prompt(seed + i), Seed: seed + i)).ToArray();
            var together = requests.Select(request => Start(request.Options, request.Prompt)).ToArray();
            var alone = requests.Select(request => Start(request.Options, request.Prompt)).ToArray();
            using var ops = new OpStream(Device(threads));
            var (choice, sampler) = (new StepChoice(Device(threads)), new Sampler());
            for (var step = 0; step < 4; step++)
            {
                // In another order, and not all of them, in every step.
                int[] rows = [.. Enumerable.Range(0, count).OrderBy(_ => random.Next()).Take(random.Next(1, count + 1))];
                var (plan, logits) = Step(ops, [.. rows.Select(i => together[i])], row => Logits(requests[rows[row]].Seed, together[rows[row]]));
                choice.Run(plan, logits, ops, null);
                foreach (var chunk in plan.Chunks)
                {
                    var i = Array.IndexOf(together, chunk.Sequence);
                    var row = Logits(requests[i].Seed, alone[i]);
                    var expected = sampler.Sample(row, alone[i].Sampling!, alone[i].Tokens.Skip(alone[i].PromptLength).ToArray());
                    Assert.That(choice.Of(chunk).Token, Is.EqualTo(expected.Token), $"request {i}, {requests[i].Options}");
                    together[i].Tokens.Add(expected.Token);
                    alone[i].Tokens.Add(expected.Token);
                }
            }
        }, iter: 60, threads: 1);

    [Test]
    public void What_a_row_throws_stays_with_its_row([Values(1, 3)] int threads)
    {
        var sequences = Enumerable.Range(0, 8).Select(i => Start(new SamplingOptions { TopK = 5, Seed = i }, [1, 2])).ToArray();
        using var ops = new OpStream(Device(threads));
        var choice = new StepChoice(Device(threads));
        var (plan, logits) = Step(ops, sequences, row => Logits(row, sequences[row]));
        logits.Row(3).Fill(float.NaN);
        logits.Row(6).Fill(float.NegativeInfinity);
        choice.Run(plan, logits, ops, null);
        for (var i = 0; i < sequences.Length; i++)
        {
            var chunk = plan.Chunks[i];
            if (i == 3) Assert.That(() => choice.Of(chunk), Throws.InstanceOf<ArithmeticException>());
            else if (i == 6) Assert.That(() => choice.Of(chunk), Throws.InvalidOperationException);
            else Assert.That(choice.Of(chunk).Token, Is.InRange(0, Vocabulary - 1));
        }
    }

    [Test]
    public void Choosing_for_64_sequences_allocates_nothing_with_all_options_on([Values(1, 3)] int threads)
    {
        var sequences = Enumerable.Range(0, 64).Select(i => Start(Options(i), Prompt(i))).ToArray();
        for (var i = 0; i < sequences.Length; i++)
        {
            var state = sequences[i].Sampling!;
            state.Seen.EnsureCapacity(Vocabulary);
            if (i % 4 > 0) state.Mask = Enumerable.Repeat(i % 4 == 1 ? 0x100u : 0xFFFF_FFF0u, (Vocabulary + 31) / 32).ToArray();
            if (i % 5 == 0) state.Thinking.Begin(8, [7, 8, 9], isOpen: true);
        }
        using var ops = new OpStream(Device(threads));
        var choice = new StepChoice(Device(threads));
        var (plan, logits) = Step(ops, sequences, row => Logits(row, sequences[row]));
        var rows = logits.Values.ToArray();
        var least = long.MaxValue;
        for (var round = 0; round < 12; round++)
        {
            rows.CopyTo(logits.Values);
            // Other threads of the process allocate now and then: the fewest of several rounds are this one's.
            var before = threads == 1 ? GC.GetAllocatedBytesForCurrentThread() : GC.GetTotalAllocatedBytes(precise: true);
            choice.Run(plan, logits, ops, null);
            var after = threads == 1 ? GC.GetAllocatedBytesForCurrentThread() : GC.GetTotalAllocatedBytes(precise: true);
            if (round >= 3) least = Math.Min(least, after - before);
            foreach (var chunk in plan.Chunks) choice.Of(chunk);
        }
        Assert.That(least, Is.Zero);
    }

    private static CpuDevice Device(int threads) => Devices[threads] ??= new CpuDevice(threads: threads);

    private static Sequence Start(SamplingOptions options, int[] prompt)
    {
        var sequence = new Sequence(sampling: new SamplerState(options, prompt, [2]));
        sequence.Begin(prompt);
        return sequence;
    }

    private static (StepPlan Plan, Matrix Logits) Step(OpStream ops, Sequence[] sequences, Func<int, float[]> logits)
    {
        ops.Reset();
        var plan = new StepPlan();
        var rows = ops.HostScratch(sequences.Length, Vocabulary);
        for (var i = 0; i < sequences.Length; i++)
        {
            var sequence = sequences[i];
            sequence.Computed = sequence.Tokens.Count - 1;
            while (sequence.BlockTable.Count <= sequence.Tokens.Count / 16) sequence.BlockTable.Add(0);
            plan.Add(sequence, 1, 16, LogitsOf.LastToken);
            logits(i).CopyTo(rows.Row(i));
        }
        return (plan, rows);
    }

    // As a model: what comes next depends on what was.
    private static float[] Logits(int seed, Sequence sequence)
    {
        var random = new Random(seed + (sequence.Tokens.Count * 31) + sequence.Tokens[^1]);
        return [.. Enumerable.Range(0, Vocabulary).Select(_ => (random.NextSingle() + random.NextSingle() + random.NextSingle()) * 6)];
    }

    private static int[] Prompt(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 200).Select(_ => random.Next(Vocabulary))];
    }

    private static SamplingOptions Options(int seed)
    {
        var random = new Random(seed);
        return new SamplingOptions
        {
            Temperature = Pick(0, 1, 1, 0.6), TopK = Pick(0, 40, 1, 500), TopP = Pick(1, 0.95, 0.5), MinP = Pick(0, 0, 0.05), Seed = seed,
            RepetitionPenalty = Pick(1, 1.1), FrequencyPenalty = Pick(0, 0.4), PresencePenalty = Pick(0, -0.3), MinTokens = Pick(0, 100),
            StopTokens = [3, 4], BadWords = [[5], [6, 7]], LogitBias = new Dictionary<int, float> { [8] = 2, [9] = -100 },
            AllowedTokens = random.Next(5) > 0 ? null : [.. Enumerable.Range(0, 400).Select(i => 8 * (i % 300))],
        };

        T Pick<T>(params T[] values) => values[random.Next(values.Length)];
    }
}
