using System.Text.Json;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>What is counted of drafted tokens.</summary>
public sealed class DraftStatsTests
{
    public static IEnumerable<TestCaseData> Counting() => Cases.OfKind("spec_decode_stats");

    [Category("Conformance")]
    [TestCaseSource(nameof(Counting))]
    public void Drafts_are_counted_as_the_reference_counts_them(JsonElement? test)
    {
        var c = Cases.Given(test);
        var expected = c.GetProperty("expected");
        var accepted = Cases.Integers(expected.GetProperty("accepted_per_pos"));
        var stats = new DraftStats(accepted.Length);
        foreach (var (draft, output) in c.GetProperty("draft").EnumerateArray().Zip(c.GetProperty("output").EnumerateArray()))
            stats.Add(Cases.Integers(draft), Cases.Integers(output));
        Assert.That(stats.Drafts, Is.EqualTo(expected.GetProperty("num_drafts").GetInt64()));
        Assert.That(stats.DraftTokens, Is.EqualTo(expected.GetProperty("num_draft_tokens").GetInt64()));
        Assert.That(stats.AcceptedTokens, Is.EqualTo(expected.GetProperty("num_accepted_tokens").GetInt64()));
        Assert.That(stats.AcceptedAt.ToArray(), Is.EqualTo(accepted));
    }

    [Test]
    public void Counts_add_up_over_drafts_of_any_length()
    {
        var stats = new DraftStats(3);
        stats.Add([1, 2, 3], [1, 2, 3, 4]);
        stats.Add([1, 2], [1, 9]);
        stats.Add([7], [8]);
        stats.Add([], [5]);
        Assert.That((stats.Drafts, stats.DraftTokens, stats.AcceptedTokens), Is.EqualTo((3L, 6L, 4L)));
        Assert.That(stats.AcceptedAt.ToArray(), Is.EqualTo(new long[] { 2, 1, 1 }));
    }

    [Test]
    public void A_step_that_cannot_be_is_refused()
    {
        var stats = new DraftStats(2);
        Assert.That(() => stats.Add([1], []), Throws.ArgumentException.With.Message.Contains("expected 1 to 2 tokens, found 0"));
        Assert.That(() => stats.Add([1], [1, 2, 3]), Throws.ArgumentException.With.Message.Contains("found 3"));
        Assert.That(() => stats.Add([1, 2, 3], [1]), Throws.ArgumentException.With.Message.Contains("draft: expected at most 2"));
    }
}
