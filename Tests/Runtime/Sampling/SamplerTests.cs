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
