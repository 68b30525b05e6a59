using CsCheck;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime.Sampling;

/// <summary>A choice on a device is the one that a host with the same logits makes.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class DeviceChoiceTests(Target target) : OpTests(target)
{
    private const float Out = float.NegativeInfinity;

    [Test]
    public void Any_requests_get_the_tokens_of_the_host() => Gen.Int.Sample(AssertSameTokens, iter: Target.IsGpu ? 150 : 2000, threads: 1);

    [Test]
    public void What_requests_usually_ask_for_brings_no_row_back(
        [Values("greedy", "checkpoint", "top_p", "min_p", "penalties", "log probabilities", "allowed", "rules", "grammar", "thinking")] string what)
    {
        const int Vocabulary = 20_000;
        var options = what switch
        {
            "greedy" => new SamplingOptions { Temperature = 0 },
            "checkpoint" => new SamplingOptions { TopP = 0.95, TopK = 40 },
            "top_p" => new SamplingOptions { Temperature = 0.8, TopP = 0.9 },
            "min_p" => new SamplingOptions { MinP = 0.05, TopP = 0.99 },
            "penalties" => new SamplingOptions { TopP = 0.95, TopK = 40, RepetitionPenalty = 1.2, FrequencyPenalty = 0.3, PresencePenalty = 0.3 },
            "log probabilities" =>
                new SamplingOptions { TopK = 200, LogProbabilities = true, TopLogProbabilities = 20, LogProbabilityTokens = [7, 9] },
            "grammar" => new SamplingOptions { TopK = 40, TopP = 0.95 },
            "thinking" => new SamplingOptions { TopP = 0.9 },
            "allowed" => new SamplingOptions { AllowedTokens = [.. Enumerable.Range(0, 50).Select(i => 300 * i)] },
            _ =>
                new SamplingOptions { TopK = 20, MinTokens = 5, StopTokens = [7], LogitBias = new Dictionary<int, float> { [9] = 3, [11] = -100 },
                    BadWords = [[3], [4, 5]] },
        };
        Run(Vocabulary, [options with { Seed = 5 }], steps: 4, (_, _) => Peaked(new Random(1), Vocabulary), wholeRows: 0, state =>
        {
            // A text between quotes: all but few tokens are right.
            if (what == "grammar") state.Mask = Enumerable.Repeat(0xFFFE_FFFFu, Vocabulary / 32).ToArray();
            if (what == "thinking" && state.OutputTokens == 0) state.Thinking.Begin(1, [2], isOpen: true);
        });
    }

    [Test]
    public void A_draw_from_all_tokens_brings_its_row_back_and_no_other()
    {
        var options = new[] { new SamplingOptions { Temperature = 0 }, new SamplingOptions { Seed = 1 }, new SamplingOptions { TopK = 3, Seed = 2 } };
        Run(9000, options, steps: 2, (row, _) => Peaked(new Random(row), 9000), wholeRows: 1);
    }

    [Test]
    public void Tokens_that_tie_with_the_last_of_the_top_k_all_stay()
    {
        var logits = new float[5000];
        for (var id = 0; id < 5000; id += 10) logits[id] = 2;
        Run(5000, [new SamplingOptions { TopK = 20, Seed = 4 }], steps: 3, (_, _) => logits, wholeRows: 1);
    }

    [Test]
    public void More_tokens_than_are_worth_it_are_not_taken_out()
    {
        var bias = Enumerable.Range(0, 9000).ToDictionary(id => id, id => id % 7 * 0.5f);
        Run(10_000, [new SamplingOptions { TopK = 20, Seed = 4, LogitBias = bias }], steps: 1, (_, step) => Peaked(new Random(step), 10_000),
            wholeRows: 1);
    }

    [Test]
    public void Allocates_nothing([Values("greedy", "sampled", "penalized", "whole")] string how)
    {
        NeedsSilentLaunches();
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference may allocate.");
        var options = how switch
        {
            "greedy" => new SamplingOptions { Temperature = 0 },
            "sampled" => new SamplingOptions { Temperature = 0.8, TopP = 0.95, TopK = 40, MinP = 0.01, Seed = 3, LogProbabilities = true },
            "penalized" => new SamplingOptions { TopP = 0.9, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1, PresencePenalty = 0.1, Seed = 3 },
            _ => new SamplingOptions { Seed = 3 },
        };
        var state = new SamplerState(options, [1, 2, 3]);
        state.Seen.EnsureCapacity(100);
        var (choice, sampler, logits) = (new DeviceChoice(5000), new Sampler(), Peaked(new Random(3), 5000));
        Assert.That(Allocated(() =>
        {
            Ops.Reset();
            choice.Begin();
            choice.Add(state);
            choice.Place(Ops);
            var row = Ops.HostScratch(1, 5000);
            logits.CopyTo(row.Values);
            choice.Run(Ops, Ops.ToDevice(row));
            Choose(choice, sampler, 0, state, []);
        }), Is.Zero);
    }

    private void AssertSameTokens(int seed)
    {
        var random = new Random(seed);
        var vocabulary = Pick(random, 1, 2, 3, 9, 40, 300, 700);
        var options = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Options(random, vocabulary)).ToArray();
        Run(vocabulary, options, steps: random.Next(1, 4), (_, _) => Logits(random, vocabulary), wholeRows: null, state =>
        {
            state.Mask = Mask(random, vocabulary);
            if (state.OutputTokens == 0) state.Thinking.Begin(1, [2 % vocabulary], isOpen: random.Next(8) == 0);
        });
    }

    // Every request is two: one that chooses on the host and one that chooses on the device. A row that one refuses the other refuses too.
    private void Run(int vocabulary, SamplingOptions[] options, int steps, Func<int, int, float[]> logits, int? wholeRows,
        Action<SamplerState>? prepare = null)
    {
        int[] prompt = [.. new[] { 1, 3, 3 }.Where(id => id < vocabulary)], ends = [0];
        var (host, sampler, choice) = (new Sampler(), new Sampler(), new DeviceChoice(vocabulary));
        var expected = Array.ConvertAll(options, o => new SamplerState(o, prompt, ends));
        var actual = Array.ConvertAll(options, o => new SamplerState(o, prompt, ends));
        var outputs = Array.ConvertAll(options, _ => new List<int>());
        for (var step = 0; step < steps; step++)
        {
            Ops.Reset();
            choice.Begin();
            for (var row = 0; row < options.Length; row++)
            {
                prepare?.Invoke(actual[row]);
                expected[row].Mask = actual[row].Mask;
                if (step == 0 && prepare is not null) expected[row].Thinking.Begin(1, [2 % vocabulary], isOpen: actual[row].Thinking.IsOpen);
                choice.Add(actual[row]);
            }
            choice.Place(Ops);
            var rows = Ops.HostScratch(options.Length, vocabulary);
            for (var row = 0; row < options.Length; row++) logits(row, step).CopyTo(rows.Row(row));
            choice.Run(Ops, Ops.ToDevice(Copy(rows)));
            for (var row = 0; row < options.Length; row++)
            {
                var output = outputs[row].ToArray();
                var (wanted, refused) = Try(() => host.Sample(rows.Row(row), expected[row], output));
                var (found, error) = Try(() => Choose(choice, sampler, row, actual[row], output));
                Assert.That(error?.GetType(), Is.EqualTo(refused?.GetType()), $"step {step}, {options[row]}, {error} {refused}");
                if (refused is not null) return;
                AssertSame(found, wanted, $"step {step}, {options[row]}");
                outputs[row].Add(wanted.Token);
            }
            if (wholeRows is { } count) Assert.That(choice.WholeRows, Is.EqualTo(count), "rows that came back whole");
        }
    }

    private static void AssertSame(TokenChoice found, TokenChoice wanted, string what)
    {
        Assert.That(found.Token, Is.EqualTo(wanted.Token), what);
        Assert.That(found.Top.Select(t => t.Id), Is.EqualTo(wanted.Top.Select(t => t.Id)), what);
        Assert.That((found.Asked ?? []).Select(t => t.Id), Is.EqualTo((wanted.Asked ?? []).Select(t => t.Id)), what);
        AssertNear(found.LogProbability, wanted.LogProbability, what);
        foreach (var (a, b) in found.Top.Zip(wanted.Top).Concat((found.Asked ?? []).Zip(wanted.Asked ?? [])))
            AssertNear(a.LogProbability, b.LogProbability, what);
    }

    private static void AssertNear(float found, float wanted, string what)
    {
        if (float.IsFinite(wanted)) Assert.That(found, Is.EqualTo(wanted).Within(4e-6 * Math.Max(1, Math.Abs(wanted))), what);
        else Assert.That(found, Is.EqualTo(wanted), what);
    }

    private static (TokenChoice Choice, Exception? Error) Try(Func<TokenChoice> choose)
    {
        try
        {
            return (choose(), null);
        }
        catch (Exception thrown) when (thrown is ArithmeticException or InvalidOperationException)
        {
            return (default, thrown);
        }
    }

    private TokenChoice Choose(DeviceChoice choice, Sampler by, int row, SamplerState state, ReadOnlySpan<int> output) =>
        choice.TrySample(by, row, state, output, out var chosen) ? chosen : choice.SampleWhole(Ops, by, row, state, output);

    private static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];

    // No grammar, one that lets few tokens through, or most of them.
    private static uint[] Mask(Random random, int vocabulary)
    {
        var kind = random.Next(6);
        if (kind < 3) return [];
        var words = new uint[Math.Max(1, (vocabulary / 32) + random.Next(2))];
        for (var id = 0; id < 32 * words.Length; id++)
        {
            if (random.Next(10) is var n && (kind == 3 ? n == 0 : n > 0)) words[id / 32] |= 1u << (id % 32);
        }
        return words;
    }

    private static int[] Ids(Random random, int vocabulary, int most) =>
        [.. Enumerable.Range(0, random.Next(1, most)).Select(_ => random.Next(-1, vocabulary + 2))];

    private static SamplingOptions Options(Random random, int vocabulary) => new()
    {
        Temperature = Pick(random, 0, 0, 1, 1, 0.7, 0.3, 2, 1e-3),
        TopP = Pick(random, 1, 1, 0.99, 0.9, 0.5, 0.05),
        TopK = Pick(random, 0, 0, -1, 1, 2, 5, 40, 255, 256, 500),
        MinP = Pick(random, 0, 0, 0, 0.02, 0.3, 1),
        RepetitionPenalty = Pick(random, 1, 1, 1.3, 0.6),
        FrequencyPenalty = Pick(random, 0, 0, 0.5, -0.7),
        PresencePenalty = Pick(random, 0, 0, 0.4),
        Seed = random.Next(),
        MinTokens = Pick(random, 0, 0, 2),
        StopTokens = random.Next(2) == 0 ? [] : Ids(random, vocabulary, 4),
        IgnoreEos = random.Next(2) == 0,
        LogitBias = random.Next(3) > 0
            ? new Dictionary<int, float>()
            : Ids(random, vocabulary, 6).Distinct().ToDictionary(id => id, id => Pick(random, 1.5f, -2, 150, float.NegativeInfinity)),
        AllowedTokens = random.Next(5) > 0 ? null : Ids(random, vocabulary, 12),
        BadWords = random.Next(3) > 0 ? [] : [Ids(random, vocabulary, 2), Ids(random, vocabulary, 3)],
        LogProbabilities = random.Next(2) == 0,
        TopLogProbabilities = Pick(random, 0, 0, 1, 4, 20, 300, -1),
        LogProbabilityTokens = random.Next(3) > 0 ? [] : [random.Next(vocabulary), random.Next(vocabulary)],
        LogProbabilityKind = (LogProbabilityKind)Pick(random, 0, 0, 0, 1, 2, 3),
    };

    private static float[] Logits(Random random, int vocabulary)
    {
        var logits = random.Next(6) switch
        {
            0 => Enumerable.Range(0, vocabulary).Select(_ => (float)random.Next(-2, 3)).ToArray(),
            1 => Enumerable.Repeat(Pick(random, 0, 3, Out), vocabulary).ToArray(),
            2 => Peaked(random, vocabulary),
            _ => Enumerable.Range(0, vocabulary).Select(_ => (float)((random.NextDouble() - random.NextDouble()) * 12)).ToArray(),
        };
        if (random.Next(3) > 0) return logits;
        for (var i = 0; i < random.Next(1, vocabulary + 1); i++)
            logits[random.Next(vocabulary)] = Pick(random, Out, Out, Out, -0f, 0, float.NaN, -float.NaN, float.PositiveInfinity);
        return logits;
    }

    // As those of a model that knows what comes next.
    private static float[] Peaked(Random random, int vocabulary)
    {
        var logits = Enumerable.Range(0, vocabulary).Select(_ => (float)(random.NextDouble() * 3)).ToArray();
        for (var i = 0; i < 30; i++) logits[random.Next(vocabulary)] = 10 + (float)(random.NextDouble() * 8);
        return logits;
    }
}
