using System.Text.Json;
using CsCheck;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>Replies that went wrong somewhere: whatever the cuts, what is wanted of them holds. A case is one that says what it wants.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class ReplyReportTests
{
    public static IEnumerable<TestCaseData> SharedReports() => ReplyCases.Of(Shared.Files("cases", "*.json"), IsReport);

    public static IEnumerable<TestCaseData> OwnReports() => ReplyCases.Of(ReplyCases.Own(), IsReport);

    [Category("Conformance")]
    [TestCaseSource(nameof(SharedReports))]
    public void A_reported_reply_is_understood(JsonElement? test) => Check(test);

    [TestCaseSource(nameof(OwnReports))]
    public void A_report_of_our_own_is_understood(JsonElement? test) => Check(test);

    // Nothing throws, and pieces say what the whole says, wherever the reply ends.
    [TestCaseSource(nameof(OwnReports))]
    public void A_reported_reply_may_end_anywhere(JsonElement? test)
    {
        var c = new ReportCase(ReplyCases.Given(test));
        for (var end = Math.Max(0, c.Text.Length - 400); end < c.Text.Length; end++)
        {
            var whole = ReplyReading.Of(c.CreateParser(), c.Text[..end]).Summary();
            Assert.That(ReplyReading.Of(c.CreateParser(), c.Text[..end], 1).Summary(), Is.EqualTo(whole), $"ends at {end}");
            Assert.That(ReplyReading.Of(c.CreateParser(), c.Text[..end], 7).Summary(), Is.EqualTo(whole), $"ends at {end}");
        }
    }

    internal static bool IsReport(JsonElement test) =>
        test.TryGetProperty("want", out var want) && want.ValueKind == JsonValueKind.Object && test.TryGetProperty("dialect", out _);

    private static void Check(JsonElement? test)
    {
        var c = new ReportCase(ReplyCases.Given(test));
        var whole = ReplyReading.Of(c.CreateParser(), c.Text);
        Assert.Multiple(() => c.Check(whole));
        for (var at = 1; at < c.Text.Length; at++)
            Says([new(c.Text[..at], null), new(c.Text[at..], null)], $"cut at {at}");
        foreach (var size in new[] { 1, 2, 3, 4, 5, 7, 11, 32 }) Says(ReplyReading.Cut(c.Text, size), $"in pieces of {size}");
        Gen.Int[1, 12].Array[1, 20].Sample(sizes => Says(ReplyReading.Cut(c.Text, sizes), "cut at random"), iter: 100);

        void Says(IEnumerable<Piece> pieces, string how) =>
            Assert.That(ReplyReading.Of(c.CreateParser(), pieces).Summary(), Is.EqualTo(whole.Summary()), how);
    }
}
