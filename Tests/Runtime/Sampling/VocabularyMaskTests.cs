using CsCheck;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime.Sampling;

/// <summary>What a grammar's mask does to the choice.</summary>
public sealed class VocabularyMaskTests
{
    private const float Out = float.NegativeInfinity;

    [Test]
    public void Exactly_the_tokens_whose_bits_are_set_stay() => Gen.Select(Gen.Int[1, 300], Gen.Int[0, 12], Gen.Int).Sample((vocabulary, words,
        seed) =>
    {
        var random = new Random(seed);
        var mask = Enumerable.Range(0, words).Select(_ => Word(random)).ToArray();
        int[] allowed = [.. Enumerable.Range(0, vocabulary).Where(id => id / 32 < words && ((mask[id / 32] >> (id % 32)) & 1) == 1)];
        var logits = Enumerable.Range(0, vocabulary).Select(id => id + 1f).ToArray();
        VocabularyMask.Keep(mask, logits);
        Assert.That(logits, Is.EqualTo(Enumerable.Range(0, vocabulary).Select(id => allowed.Contains(id) ? id + 1f : Out)));
        var ids = new int[vocabulary];
        Assert.That(ids[..VocabularyMask.Collect(mask, vocabulary, ids)], Is.EqualTo(allowed));
        Assert.That(VocabularyMask.Count(mask, vocabulary, int.MaxValue), Is.EqualTo(allowed.Length));
        for (var id = 0; id < vocabulary; id++) Assert.That(VocabularyMask.Allows(mask, id), Is.EqualTo(allowed.Contains(id)));
    }, iter: 2000);

    [Test]
    public void The_choice_is_the_one_among_the_tokens_that_may_come([Values(0, 1, 2)] int density, [Values(0.0, 1.0)] double temperature)
    {
        const int Vocabulary = 20_000;
        var random = new Random(density);
        var mask = new uint[Vocabulary / 32];
        for (var i = 0; i < mask.Length; i++) mask[i] = density switch { 0 => i % 50 == 3 ? 1u : 0, 1 => (uint)random.Next(), _ => 0xFFFF_FFFE };
        var options = new SamplingOptions
        {
            Temperature = temperature, TopK = 40, TopP = 0.95, RepetitionPenalty = 1.1, FrequencyPenalty = 0.4, Seed = 3, BadWords = [[32]],
            LogitBias = new Dictionary<int, float> { [64] = 3, [96] = -3 },
        };
        int[] prompt = [.. Enumerable.Range(0, 500).Select(i => 7 * i)];
        var (masked, plain) = (new SamplerState(options, prompt) { Mask = mask }, new SamplerState(options, prompt));
        var sampler = new Sampler();
        for (var step = 0; step < 30; step++)
        {
            var logits = Enumerable.Range(0, Vocabulary).Select(_ => (random.NextSingle() + random.NextSingle()) * 10).ToArray();
            var cut = Enumerable.Range(0, Vocabulary).Select(id => ((mask[id / 32] >> (id % 32)) & 1) == 1 ? logits[id] : Out).ToArray();
            Assert.That(sampler.Sample(logits, masked, []).Token, Is.EqualTo(sampler.Sample(cut, plain, []).Token), $"step {step}");
        }
    }

    [Test]
    public void Where_no_token_is_left_the_request_is_told([Values(0.0, 1.0)] double temperature, [Values("mask", "allowed", "bad words")] string how)
    {
        var options = new SamplingOptions { Temperature = temperature };
        if (how == "allowed") options = options with { AllowedTokens = [40, 41] };
        if (how == "bad words") options = options with { BadWords = [.. Enumerable.Range(0, 40).Select(id => new[] { id })] };
        var state = new SamplerState(options, []);
        if (how == "mask") state.Mask = new uint[2];
        Assert.That(() => new Sampler().Sample(new float[40], state, []), Throws.InvalidOperationException.With.Message.Contains("No token is left"));
    }

    [Test]
    public void Logits_that_are_no_numbers_are_refused_by_name([Values(float.NaN, float.PositiveInfinity)] float bad,
        [Values("greedy", "all", "top_k", "top_p", "min_p", "few", "report")] string how)
    {
        var options = how switch
        {
            "greedy" => new SamplingOptions { Temperature = 0 },
            "top_k" => new SamplingOptions { TopK = 3 },
            "top_p" => new SamplingOptions { TopP = 0.5 },
            "min_p" => new SamplingOptions { MinP = 0.5 },
            "few" => new SamplingOptions { AllowedTokens = [30, 77] },
            "report" => new SamplingOptions { LogProbabilities = true },
            _ => new SamplingOptions(),
        };
        var logits = new float[100];
        logits[77] = bad;
        Assert.That(() => new Sampler().Sample(logits, new SamplerState(options, []), []),
            Throws.InstanceOf<ArithmeticException>().With.Message.Contains("found " + (float.IsNaN(bad) ? "NaN" : "∞") + " for token 77"));
    }

    private static uint Word(Random random) => random.Next(4) switch { 0 => 0, 1 => uint.MaxValue, _ => (uint)random.NextInt64(1L << 32) };
}
