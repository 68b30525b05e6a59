using System.Text;
using System.Text.Json;
using CsCheck;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>
/// What holds for every text: where it is cut does not matter, nothing makes a parser throw, and neither time nor held text grows faster than the
/// text.
/// </summary>
public sealed class ReplyPropertyTests
{
    private static readonly JsonElement tools = JsonElement.Parse(
        """[{"name": "f", "parameters": {"properties": {"p": {"type": ["number", "object"]}, "q": {"type": "string"}}}}]""");

    private static readonly Gen<ReplyOptions> options = Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool)
        .Select((thinks, asText, drop, held, infer, trim, declares) => new ReplyOptions
    {
        Tools = declares ? tools : null,
        StartsThinking = thinks,
        ThinkingAsText = asText,
        TextAfterCalls = drop ? TextAfterCalls.Drop : TextAfterCalls.Keep,
        UnfinishedCalls = held ? UnfinishedCalls.AsText : UnfinishedCalls.Complete,
        MalformedCalls = held ? MalformedCalls.AsText : MalformedCalls.Drop,
        Arguments = new ArgumentRules { InferWithoutSchema = infer, TrimNewlinesOnly = trim, DecodeEntities = infer && trim },
    });

    public static IEnumerable<string> Dialects() => ReplyParser.Dialects;

    public static IEnumerable<TestCaseData> Samples() => ReplyCaseTests.Cases(ReplyCaseTests.Own(), ReplyCaseTests.ReadKinds);

    [TestCaseSource(nameof(Dialects))]
    public void Where_a_reply_is_cut_does_not_matter(string dialect) =>
        Gen.Select(options, ReplyParts.Replies(dialect), Gen.Int[1, 9].Array[1, 20]).Sample(
            (given, text, sizes) =>
            {
                var whole = ReplyReading.Of(ReplyParser.Create(dialect, given), text).Summary();
                Assert.That(ReplyReading.Of(ReplyParser.Create(dialect, given), ReplyReading.Cut(text, sizes)).Summary(), Is.EqualTo(whole));
            },
            iter: 1500);

    [TestCaseSource(nameof(Samples))]
    public void A_recorded_reply_may_be_cut_anywhere(JsonElement? test)
    {
        var c = new ReplyCase(test!.Value);
        var whole = ReplyReading.Of(c.CreateParser(), c.Output).Summary();
        for (var at = 0; at <= c.Output.Length; at++)
        {
            Assert.That(ReplyReading.Of(c.CreateParser(), [new Piece(c.Output[..at], null), new Piece(c.Output[at..], null)]).Summary(),
                Is.EqualTo(whole), $"cut at {at}");
        }
        Gen.Int[1, 12].Array[1, 20]
            .Sample(sizes => Assert.That(ReplyReading.Of(c.CreateParser(), ReplyReading.Cut(c.Output, sizes)).Summary(), Is.EqualTo(whole)), iter: 100);
    }

    // What holds of a sample cut short holds at every place: nothing throws, and pieces say what the whole says.
    [TestCaseSource(nameof(Samples))]
    public void A_reply_may_end_anywhere(JsonElement? test)
    {
        var c = new ReplyCase(test!.Value);
        for (var end = 0; end < c.Output.Length; end++)
        {
            var whole = ReplyReading.Of(c.CreateParser(), c.Output[..end]).Summary();
            Assert.That(ReplyReading.Of(c.CreateParser(), c.Output[..end], 1).Summary(), Is.EqualTo(whole), $"ends at {end}");
        }
    }

    [TestCaseSource(nameof(Samples))]
    public void A_damaged_reply_never_makes_a_parser_throw(JsonElement? test)
    {
        var c = new ReplyCase(test!.Value);
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Char, Gen.Int[0, 2]).Array[1, 8].Sample(
            edits =>
            {
                var text = new StringBuilder(c.Output);
                foreach (var (position, character, kind) in edits)
                {
                    var at = position % (text.Length + 1);
                    if (kind == 0) text.Insert(at, character);
                    else if (at < text.Length && kind == 1) text[at] = character;
                    else if (at < text.Length) text.Remove(at, 1);
                }
                ReplyReading.Of(c.CreateParser(), text.ToString(), 5);
            },
            iter: 300);
    }

    // Only what may be the beginning of a marker is held back: half of every marker is, up to the character that shows that it is none.
    [TestCaseSource(nameof(Dialects))]
    public void Text_that_cannot_be_a_marker_is_passed_on_at_once(string dialect)
    {
        var events = new List<ReplyEvent>();
        var parser = ReplyParser.Create(dialect);
        var begun = ReplyParts.Markers(dialect).First();
        Push("a ");
        foreach (var piece in new[] { "b < [ { c", "\n", "d" }) Assert.That(Push(piece), Is.EqualTo(piece));
        // Where there are no markers nothing is held.
        var held = dialect == "text" ? "" : begun[..^1];
        Assert.That(Push(begun[..^1]), Is.EqualTo(begun[..^(held.Length + 1)]));
        Assert.That(Push("~"), Is.EqualTo(held + "~"));

        string Push(string piece)
        {
            events.Clear();
            parser.Push(piece, events);
            return string.Concat(events.Cast<ReplyText>().Select(e => e.Text));
        }
    }

    // Work is counted in bytes allocated, which does not depend on the machine: four times the text may cost little more than four times as much.
    [TestCaseSource(nameof(Dialects))]
    public void Cost_is_linear_in_the_text(string dialect)
    {
        foreach (var repeated in ReplyParts.Hostile(dialect))
        {
            foreach (var size in new[] { 1, int.MaxValue })
            {
                foreach (var start in ReplyParts.Starts(dialect))
                {
                    Cost(dialect, repeated, start, 1_000, size);
                    var (small, large) = (Cost(dialect, repeated, start, 20_000, size), Cost(dialect, repeated, start, 80_000, size));
                    Assert.That(large, Is.LessThan((6 * small) + 100_000), $"{repeated} behind {start} in pieces of {size}");
                }
            }
        }
    }

    [TestCaseSource(nameof(Dialects))]
    public void Ten_megabytes_are_read_a_character_at_a_time(string dialect)
    {
        var value = new string('x', 10 << 20);
        var last = new Last();
        var parser = ReplyParser.Create(dialect);
        var (before, behind) = ReplyParts.AroundValue(dialect);
        foreach (var text in new[] { before, value, behind })
        {
            for (var i = 0; i < text.Length; i++) parser.Push(text.AsSpan(i, 1), last);
        }
        parser.Finish(last);
        if (behind.Length > 0) Assert.That(((ToolCallEnded)last.Event!).Arguments, Is.EqualTo($"{{\"p\": \"{value}\"}}"));
        else Assert.That(last.Event, Is.EqualTo(new ReplyText("x")));
    }

    private static long Cost(string dialect, string repeated, string start, int length, int size)
    {
        var text = start + string.Concat(Enumerable.Repeat(repeated, length / repeated.Length));
        var parser = ReplyParser.Create(dialect);
        var last = new Last();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < text.Length; i += Math.Min(size, text.Length - i)) parser.Push(text.AsSpan(i, Math.Min(size, text.Length - i)), last);
        parser.Finish(last);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    // Keeps one event, so that what is measured is the parser.
    private sealed class Last : System.Collections.ObjectModel.Collection<ReplyEvent>
    {
        public ReplyEvent? Event { get; private set; }

        protected override void InsertItem(int index, ReplyEvent item) => Event = item;
    }
}
