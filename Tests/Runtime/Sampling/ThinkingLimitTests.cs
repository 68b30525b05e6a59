using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime.Sampling;

/// <summary>When a reply's thinking is ended for it.</summary>
public sealed class ThinkingLimitTests
{
    private static readonly int[] End = [7, 8, 9];

    [Test]
    public void The_marker_is_forced_in_order_once_the_budget_is_used([Values(0, 1, 5)] int budget)
    {
        var limit = Begin(budget);
        for (var i = 0; i < budget; i++) Expect(limit, -1, says: 100 + i);
        foreach (var id in End) Expect(limit, id, says: id);
        limit.IsOpen = false;
        for (var i = 0; i < 10; i++) Expect(limit, -1, says: 5);
    }

    [Test]
    public void What_the_model_has_written_of_the_marker_counts()
    {
        var limit = Begin(3);
        foreach (var id in new[] { 100, 7, 8 }) Expect(limit, -1, says: id);
        Expect(limit, 9, says: 9);
        limit.IsOpen = false;
        Assert.That(limit.Forced, Is.EqualTo(-1));
    }

    [Test]
    public void Thinking_that_ends_in_time_is_left_alone()
    {
        var limit = Begin(3);
        foreach (var id in End) Expect(limit, -1, says: id);
        limit.IsOpen = false;
        for (var i = 0; i < 10; i++) Expect(limit, -1, says: 5);
    }

    [Test]
    public void Thinking_that_begins_again_is_ended_at_once()
    {
        var limit = Begin(2);
        foreach (var id in new[] { 100, 101, 7, 8, 9 }) limit.Accept(id);
        limit.IsOpen = false;
        Expect(limit, -1, says: 5);
        limit.IsOpen = true;
        foreach (var id in End) Expect(limit, id, says: id);
    }

    [Test]
    public void A_marker_that_does_not_end_thinking_is_not_forced_for_ever()
    {
        var limit = Begin(1);
        Expect(limit, -1, says: 100);
        foreach (var id in End) Expect(limit, id, says: id);
        for (var i = 0; i < 10; i++) Expect(limit, -1, says: 5);
    }

    [Test]
    public void Without_a_budget_or_a_marker_nothing_is_forced([Values(null, -1, 0)] int? budget)
    {
        var limit = new ThinkingLimit();
        limit.Begin(budget, budget == 0 ? [] : End, isOpen: true);
        for (var i = 0; i < 10; i++) Expect(limit, -1, says: 5);
    }

    private static ThinkingLimit Begin(int budget)
    {
        var limit = new ThinkingLimit();
        limit.Begin(budget, End, isOpen: true);
        return limit;
    }

    private static void Expect(ThinkingLimit limit, int forced, int says)
    {
        Assert.That(limit.Forced, Is.EqualTo(forced));
        limit.Accept(says);
    }
}
