using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>How many tokens of prompts a step may have: on a machine of known speed it finds the number, whatever it begins with.</summary>
public sealed class PromptPaceTests
{
    private static readonly TimeSpan Target = TimeSpan.FromMilliseconds(200);

    [TestCase(0.05, 0.0001, 512)]
    [TestCase(0.05, 0.001, 144)]
    [TestCase(0.05, 0.005, 16)]
    [TestCase(0.30, 0.001, 16)]
    public void Settles_where_a_step_takes_as_long_as_it_may(double replies, double token, int expected)
    {
        var pace = new PromptPace(Target, 512);
        pace.Observe(0, 4, TimeSpan.FromSeconds(replies));
        pace.Observe(512, 0, TimeSpan.FromSeconds(512 * token));
        for (var step = 0; step < 20; step++)
        {
            var count = pace.Tokens(beside: true);
            Assert.That(count % 16, Is.Zero);
            Assert.That(replies + (count * token), Is.LessThanOrEqualTo(0.201).Or.EqualTo(replies + (16 * token)));
            pace.Observe(count, 4, TimeSpan.FromSeconds(replies + (count * token)));
        }
        Assert.That(pace.Tokens(beside: true), Is.EqualTo(expected));
    }

    [Test]
    public void Small_parts_cost_more_a_token_and_that_is_learned()
    {
        // As with experts: the weights are read once a part, whatever its size.
        var pace = new PromptPace(Target, 512);
        pace.Observe(512, 0, Time(512));
        for (var step = 0; step < 60; step++) pace.Observe(pace.Tokens(beside: true), 1, Time(pace.Tokens(beside: true)));
        Assert.That(Time(pace.Tokens(beside: true)), Is.LessThan(Target * 1.1));

        static TimeSpan Time(int tokens) => TimeSpan.FromSeconds(0.1 + (0.001 * tokens));
    }

    [Test]
    public void Sets_no_bound_where_nobody_waits_or_none_was_asked_for()
    {
        Assert.That(new PromptPace(Target, 512).Tokens(beside: false), Is.EqualTo(int.MaxValue));
        Assert.That(new PromptPace(TimeSpan.Zero, 512).Tokens(beside: true), Is.EqualTo(int.MaxValue));
        Assert.That(new PromptPace(Target, 512).Tokens(beside: true), Is.EqualTo(16), "nothing is known: a little");
        Assert.That(new PromptPace(Target, 5).Tokens(beside: true), Is.EqualTo(5));
    }
}
