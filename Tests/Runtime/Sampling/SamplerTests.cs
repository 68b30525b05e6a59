using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Sampling;

/// <summary>What options promise beyond recorded cases.</summary>
public sealed class SamplerTests
{
    private static readonly float[] Logits = [2, 1, 0.5f, -1, -2, 0, 3, -0.5f];

    [Test]
    public void The_same_seed_gives_the_same_tokens_and_another_seed_others()
    {
        var (first, again) = (Draw(seed: 7), Draw(seed: 7));
        Assert.That(again, Is.EqualTo(first));
        Assert.That(Draw(seed: 7), Is.Not.EqualTo(Draw(seed: 8)));
    }

    [Test]
    public void Tokens_come_as_often_as_their_probability_says()
    {
        var counts = new int[Logits.Length];
        foreach (var id in Draw(seed: 1, count: 20_000)) counts[id]++;
        var total = Logits.Sum(l => Math.Exp(l));
        for (var id = 0; id < Logits.Length; id++)
            Assert.That(counts[id] / 20_000.0, Is.EqualTo(Math.Exp(Logits[id]) / total).Within(0.02), $"token {id}");
    }

    [Test]
    public void Greedy_takes_the_lowest_id_among_equals() =>
        Assert.That(new Sampler().Sample([1, 5, 5, 0], new SamplerState(new SamplingOptions { Temperature = 0 }, []), []).Token, Is.EqualTo(1));

    [Test]
    public void The_log_probability_is_that_of_the_model_before_any_option()
    {
        var state = new SamplerState(
            new SamplingOptions { Temperature = 0, LogProbabilities = true, LogitBias = new Dictionary<int, float> { [3] = 100 } }, []);
        var (token, logProbability, _) = new Sampler().Sample((float[])Logits.Clone(), state, []);
        Assert.That(token, Is.EqualTo(3));
        Assert.That(logProbability, Is.EqualTo(-1 - Math.Log(Logits.Sum(l => Math.Exp(l)))).Within(1e-5));
    }

    [Test]
    public void Top_p_leaves_what_a_plain_sort_leaves([Values(0.1, 0.5, 0.9, 0.999)] double p, [Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var logits = Enumerable.Range(0, 5000).Select(_ => (float)(random.NextDouble() * 12)).ToArray();
        var truncation = new Truncation();
        truncation.Run(logits, new SamplingOptions { TopP = p });

        var largest = logits.Max();
        var weights = logits.Select(l => Math.Exp(l - largest)).ToArray();
        var (sum, total) = (0.0, weights.Sum());
        var order = Enumerable.Range(0, logits.Length).OrderBy(i => weights[i]).ToArray();
        var kept = order.Where(i => (sum += weights[i]) > (1 - p + 3e-7) * total).Order().ToArray();
        Assert.That(truncation.Ids.ToArray(), Is.EqualTo(kept));
    }

    [Test]
    public void Top_k_keeps_the_largest([Values(1, 7, 1024, 1500, 4999)] int k)
    {
        var random = new Random(k);
        var logits = Enumerable.Range(0, 5000).Select(_ => (float)random.NextDouble()).ToArray();
        var truncation = new Truncation();
        truncation.Run(logits, new SamplingOptions { TopK = k });
        var least = logits.OrderDescending().ElementAt(k - 1);
        Assert.That(truncation.Ids.ToArray(), Is.EqualTo(Enumerable.Range(0, logits.Length).Where(i => logits[i] >= least)));
    }

    [Test]
    public void Sampling_allocates_nothing([Values(0, 0.8)] double temperature)
    {
        var sampler = new Sampler();
        var state = new SamplerState(new SamplingOptions { Temperature = temperature, TopP = 0.9, TopK = 40, MinP = 0.01, Seed = 1 }, []);
        var logits = new float[32_768];
        for (var i = 0; i < logits.Length; i++) logits[i] = i % 97 / 10f;
        for (var i = 0; i < 3; i++) sampler.Sample(logits, state, []);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) sampler.Sample(logits, state, []);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Options_out_of_range_are_refused_by_name()
    {
        Assert.That(() => new SamplingOptions { Temperature = -1 }.Validate(), Throws.ArgumentException.With.Message.Contains("Temperature"));
        Assert.That(() => new SamplingOptions { TopP = 0 }.Validate(), Throws.ArgumentException.With.Message.Contains("TopP"));
        Assert.That(() => new SamplingOptions { MaxTokens = 0 }.Validate(), Throws.ArgumentException.With.Message.Contains("MaxTokens"));
        Assert.That(() => new SamplingOptions { Stop = [""] }.Validate(), Throws.ArgumentException.With.Message.Contains("Stop"));
        Assert.That(() => new SamplingOptions { MaxTokens = 3, MinTokens = 4 }.Validate(),
            Throws.ArgumentException.With.Message.Contains("MinTokens"));
    }

    [Test]
    public void What_costs_something_at_every_token_is_limited()
    {
        Refused("Stop: expected at most 256 texts, found 257", new() { Stop = [.. Enumerable.Repeat("x", 257)] });
        Refused("Stop: expected at most 65536 characters together", new() { Stop = [new string('x', 70_000)] });
        Refused("StopTokens: expected at most 1024", new() { StopTokens = new int[1025] });
        Refused("LogitBias: expected at most 1024 tokens, found 1025",
            new() { LogitBias = Enumerable.Range(0, 1025).ToDictionary(id => id, _ => 1f) });
        Refused("BadWords: expected at most 1024 sequences", new() { BadWords = [.. Enumerable.Repeat(new[] { 1 }, 1025)] });
        Refused("BadWords: expected at most 16384 tokens together", new() { BadWords = [new int[20_000]] });
        Refused("LogProbabilityTokens: expected at most 128", new() { LogProbabilityTokens = new int[129] });
        Refused("RepetitionGuard.MaxPatternSize: expected 1 to 1024, found 2000", new() { RepetitionGuard = new() { MaxPatternSize = 2000 } });
        Refused("RepetitionGuard.MinPatternSize: expected 1 to 4, found 5",
            new() { RepetitionGuard = new() { MaxPatternSize = 4, MinPatternSize = 5 } });
        Refused("RepetitionGuard.MinCount: expected 2", new() { RepetitionGuard = new() { MinCount = 1 } });
        Refused("ThinkingBudget: expected -1", new() { ThinkingBudget = -2 });
        Refused("TopLogProbabilities: expected -1", new() { TopLogProbabilities = -2 });
        Refused("LogProbabilityKind", new() { LogProbabilityKind = (LogProbabilityKind)9 });
        Refused("LogitBias: expected token ids from 0 to 99, found 100", new() { LogitBias = new Dictionary<int, float> { [100] = 1 } });
        Refused("AllowedTokens: expected token ids from 0 to 99, found -1", new() { AllowedTokens = [5, -1] });
        Refused("BadWords: expected token ids", new() { BadWords = [[1, 100]] });
        Refused("LogProbabilityTokens: expected token ids", new() { LogProbabilityTokens = [200] });

        static void Refused(string why, SamplingOptions options) =>
            Assert.That(() => options.Copy().Validate(100), Throws.ArgumentException.With.Message.StartsWith(why));
    }

    [Test]
    public void Log_probabilities_are_of_the_kind_that_is_asked_for()
    {
        // Behind the penalty the logits are 2, 1, 0.5 …, 1.5 for token 6; halved by the temperature; top_k leaves 0, 6 and 1.
        var options = new SamplingOptions
        {
            Temperature = 2, TopK = 3, RepetitionPenalty = 2, Seed = 1, LogProbabilities = true, TopLogProbabilities = -1,
            LogProbabilityTokens = [3, 6],
        };
        var raw = Logits.Sum(l => Math.Exp(l));
        var left = Math.Exp(1) + Math.Exp(0.75) + Math.Exp(0.5);
        Check(LogProbabilityKind.Raw, [6, 0, 1, 2, 5, 7, 3, 4], id => Logits[id] - Math.Log(raw));
        Check(LogProbabilityKind.RawLogits, [6, 0, 1, 2, 5, 7, 3, 4], id => Logits[id]);
        Check(LogProbabilityKind.Processed, [0, 6, 1], id => Left(id) - Math.Log(left));
        Check(LogProbabilityKind.ProcessedLogits, [0, 6, 1], Left);

        static double Left(int id) => id switch { 0 => 1, 6 => 0.75, 1 => 0.5, _ => double.NegativeInfinity };

        void Check(LogProbabilityKind kind, int[] order, Func<int, double> expected)
        {
            var state = new SamplerState(options with { LogProbabilityKind = kind }, [6]);
            var chosen = new Sampler().Sample((float[])Logits.Clone(), state, []);
            Assert.That(chosen.LogProbability, Is.EqualTo(expected(chosen.Token)).Within(1e-5), $"{kind}");
            Assert.That(chosen.Top.Select(t => t.Id), Is.EqualTo(order), $"{kind}");
            foreach (var (id, found) in chosen.Top.Concat(chosen.Asked!)) Assert.That(found, Is.EqualTo(expected(id)).Within(1e-5), $"{kind} {id}");
            Assert.That(chosen.Asked!.Select(t => t.Id), Is.EqualTo(new[] { 3, 6 }));
        }
    }

    [Test]
    public void At_temperature_0_the_processed_distribution_is_the_one_behind_the_penalties()
    {
        var options = new SamplingOptions
        {
            Temperature = 0, RepetitionPenalty = 3, TopLogProbabilities = 2, LogProbabilityKind = LogProbabilityKind.Processed,
        };
        var (token, logProbability, top) = new Sampler().Sample((float[])Logits.Clone(), new SamplerState(options, [6]), []);
        var sum = Logits.Sum(l => Math.Exp(l)) - Math.Exp(3) + Math.Exp(1);
        Assert.That((token, logProbability), Is.EqualTo((0, 2 - Math.Log(sum))).Within(1e-5));
        Assert.That(top.Select(t => t.Id), Is.EqualTo(new[] { 0, 1 }));
    }

    [Test]
    public void A_forced_token_comes_whatever_its_logit_with_its_log_probability([Values(0.0, 1.0)] double temperature)
    {
        var state = new SamplerState(new SamplingOptions { Temperature = temperature, TopK = 1, LogProbabilities = true }, []);
        state.Thinking.Begin(0, [4], isOpen: true);
        var chosen = new Sampler().Sample((float[])Logits.Clone(), state, []);
        Assert.That(chosen.Token, Is.EqualTo(4));
        Assert.That(chosen.LogProbability, Is.EqualTo(-2 - Math.Log(Logits.Sum(l => Math.Exp(l)))).Within(1e-5));
    }

    [Test]
    public void A_temperature_below_a_hundredth_counts_as_one()
    {
        var (low, least) = (new Truncation(), new Truncation());
        low.Run(Logits, new SamplingOptions { Temperature = 1e-4 });
        least.Run(Logits, new SamplingOptions { Temperature = 0.01 });
        Assert.That(low.Weights.ToArray(), Is.EqualTo(least.Weights.ToArray()));
    }

    [Test]
    public void A_stop_text_is_found_wherever_the_pieces_are_cut([Values(false, true)] bool include)
    {
        const string Text = "one two STOP three";
        for (var first = 0; first <= Text.Length; first++)
        {
            for (var second = first; second <= Text.Length; second++)
            {
                var stop = new StopText(["nope", "STOP", "TOP t"], include);
                var given = stop.Push(Text[..first]) + stop.Push(Text[first..second]) + stop.Push(Text[second..]) + stop.Flush();
                Assert.That(given, Is.EqualTo(include ? "one two STOP" : "one two "), $"cut at {first} and {second}");
                Assert.That(stop.Found, Is.EqualTo("STOP"));
            }
        }
    }

    [Test]
    public void Text_that_only_looks_like_a_stop_comes_out_whole()
    {
        var stop = new StopText(["aab"], include: false);
        Assert.That(string.Concat("aaacaa".Select(c => stop.Push(c.ToString()))) + stop.Flush(), Is.EqualTo("aaacaa"));
        Assert.That(stop.Found, Is.Null);
    }

    private static int[] Draw(long seed, int count = 64)
    {
        var sampler = new Sampler();
        var state = new SamplerState(new SamplingOptions { Seed = seed }, []);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Sample((float[])Logits.Clone(), state, []).Token)];
    }
}
