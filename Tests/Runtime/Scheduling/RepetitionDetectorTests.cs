using CsCheck;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>When an output counts as one that runs in circles.</summary>
public sealed class RepetitionDetectorTests
{
    [Test]
    public void It_finds_what_a_plain_comparison_finds() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[2, 5], Gen.Int[1, 3], Gen.Int.Array[0, 150]).Sample((a, b, count, letters, noise) =>
        {
            var guard = new RepetitionGuard { MinPatternSize = Math.Min(a, b), MaxPatternSize = Math.Max(a, b), MinCount = count };
            var detector = new RepetitionDetector(guard);
            var output = new List<int>();
            foreach (var n in noise)
            {
                // Few different tokens, and every now and then what stood a pattern before.
                var again = (uint)n % 5 > 0 && output.Count >= a;
                output.Add(again ? output[^a] : (int)((uint)n / 5 % (uint)(letters + 1)));
                Assert.That(detector.Accept(output[^1]), Is.EqualTo(Repeats(output, guard)), string.Join(' ', output));
            }
        }, iter: 3000);

    [Test]
    public void A_loop_is_found_at_the_end_of_its_third_round([Values(1, 2, 7, 64, 1000)] int size)
    {
        var rule = new StopRule(new SamplingOptions { RepetitionGuard = new() { MaxPatternSize = 1024 } }, [], int.MaxValue);
        for (var i = 0; i < 100; i++) Assert.That(rule.Accept(1_000_000 + i), Is.Null);
        for (var i = 0; i < (3 * size) - 1; i++) Assert.That(rule.Accept(i % size), Is.Null, $"token {i}");
        Assert.That(rule.Accept(size - 1), Is.EqualTo(FinishReason.Repetition));
    }

    [Test]
    public void Nothing_is_found_below_the_least_length_or_where_it_is_not_asked_for()
    {
        var guarded = new StopRule(new SamplingOptions { RepetitionGuard = new(), MinTokens = 10 }, [], int.MaxValue);
        for (var i = 0; i < 9; i++) Assert.That(guarded.Accept(5), Is.Null);
        Assert.That(guarded.Accept(5), Is.EqualTo(FinishReason.Repetition));
        var plain = new StopRule(new SamplingOptions(), [], int.MaxValue);
        for (var i = 0; i < 1000; i++) Assert.That(plain.Accept(5), Is.Null);
    }

    [Test]
    public void End_tokens_and_the_length_come_first()
    {
        var options = new SamplingOptions { RepetitionGuard = new(), StopTokens = [7], MaxTokens = 3, MinTokens = 3 };
        Assert.That(Third(options, 7), Is.EqualTo(FinishReason.Stop));
        Assert.That(Third(options, 5), Is.EqualTo(FinishReason.Length));
        Assert.That(Third(options with { MaxTokens = 4 }, 5), Is.EqualTo(FinishReason.Repetition));

        static FinishReason? Third(SamplingOptions options, int token)
        {
            var rule = new StopRule(options, [], int.MaxValue);
            rule.Accept(token);
            rule.Accept(token);
            return rule.Accept(token);
        }
    }

    private static bool Repeats(List<int> output, RepetitionGuard guard)
    {
        for (var size = guard.MinPatternSize; size <= guard.MaxPatternSize; size++)
        {
            var length = size * guard.MinCount;
            if (length > output.Count) return false;
            var tail = output[^length..];
            if (Enumerable.Range(size, length - size).All(i => tail[i] == tail[i - size])) return true;
        }
        return false;
    }
}
