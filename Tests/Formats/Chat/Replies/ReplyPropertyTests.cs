using System.Text;
using System.Text.Json;
using CsCheck;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>
/// What holds for every text: where it is cut does not matter, nothing makes a parser throw, and neither time nor held text grows faster than the
/// text.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class ReplyPropertyTests
{
    private static readonly JsonElement tools = JsonElement.Parse(
        """[{"name": "f", "parameters": {"properties": {"p": {"type": ["number", "object"]}, "q": {"type": "string"}}}}]""");

    // A bit an option, so that they come in all combinations.
    private static readonly Gen<ReplyOptions> options = Gen.Int[0, (1 << 10) - 1].Select(bits => new ReplyOptions
    {
        Tools = Has(bits, 0) ? tools : null,
        StartsThinking = Has(bits, 1),
        ThinkingAsText = Has(bits, 2),
        TextAfterCalls = Has(bits, 3) ? TextAfterCalls.Drop : TextAfterCalls.Keep,
        UnfinishedCalls = Has(bits, 4) ? UnfinishedCalls.AsText : UnfinishedCalls.Complete,
        MalformedCalls = Has(bits, 4) ? MalformedCalls.AsText : MalformedCalls.Drop,
        UndeclaredTools = Has(bits, 5) ? UndeclaredTools.Forward : UndeclaredTools.Drop,
        CallsInThinking = Has(bits, 6) ? CallsInThinking.AsText : CallsInThinking.CarryOut,
        CallsInFences = Has(bits, 7) ? CallsInFences.AsText : CallsInFences.CarryOut,
        Arguments = new ArgumentRules
        {
            InferWithoutSchema = Has(bits, 8),
            TrimNewlinesOnly = Has(bits, 9),
            DecodeEntities = Has(bits, 8) && Has(bits, 9),
        },
    });

    public static IEnumerable<string> Dialects() => ReplyParser.Dialects;

    public static IEnumerable<TestCaseData> Samples() => ReplyCases.Of(ReplyCases.Own(), ReplyCaseTests.ReadKinds);

    [TestCaseSource(nameof(Dialects))]
    public void Where_a_reply_is_cut_does_not_matter(string dialect) =>
        Gen.Select(options, ReplyParts.Replies(dialect), Gen.Int[1, 9].Array[1, 20]).Sample(
            (given, text, sizes) =>
            {
                var whole = ReplyReading.Of(ReplyParser.Create(dialect, given), text).Summary();
                Assert.That(ReplyReading.Of(ReplyParser.Create(dialect, given), ReplyReading.Cut(text, sizes)).Summary(), Is.EqualTo(whole));
            },
            iter: 3000);

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
        Gen.Int[1, 12].Array[1, 20].Sample(
            sizes => Assert.That(ReplyReading.Of(c.CreateParser(), ReplyReading.Cut(c.Output, sizes)).Summary(), Is.EqualTo(whole)),
            iter: 100);
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

    [TestCaseSource(nameof(Dialects))]
    public void Calls_that_are_to_be_text_are_text_wherever_they_stand(string dialect)
    {
        var (before, behind) = ReplyParts.AroundValue(dialect);
        var call = ReplyReading.Of(ReplyParser.Create(dialect, new ReplyOptions { CallsAsText = true }), before + "the value" + behind);
        Assert.That(call.Calls, Is.Empty);
        Assert.That(call.Text, Does.Contain("the value"));
        Gen.Select(options, ReplyParts.Replies(dialect), Gen.Int[1, 9]).Sample(
            (given, text, size) =>
            {
                var asText = given with { CallsAsText = true };
                var reading = ReplyReading.Of(ReplyParser.Create(dialect, asText), text, size);
                Assert.That(reading.Events, Is.All.Matches<ReplyEvent>(e => e is ReplyText or ThinkingText));
                Assert.That(reading.Summary(), Is.EqualTo(ReplyReading.Of(ReplyParser.Create(dialect, asText), text).Summary()));
            },
            iter: 1000);
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
        var plain = new ReplyOptions();
        foreach (var (given, size, length) in new[] { (plain, 1, 20_000), (plain, int.MaxValue, 20_000), (Strict(), 1, 10_000) })
        {
            foreach (var repeated in ReplyParts.Hostile(dialect))
            {
                foreach (var start in ReplyParts.Starts(dialect))
                {
                    Cost(dialect, given, repeated, start, 1_000, size);
                    var small = Cost(dialect, given, repeated, start, length, size);
                    var large = Cost(dialect, given, repeated, start, 4 * length, size);
                    Assert.That(large, Is.LessThan((6 * small) + 100_000), $"{repeated} behind {start} in pieces of {size}");
                }
            }
        }

        // Every name is looked for among the declared ones, every call outside of fences alone.
        static ReplyOptions Strict() => new()
        {
            Tools = tools, CallsInThinking = CallsInThinking.AsText, CallsInFences = CallsInFences.AsText,
            UnfinishedCalls = UnfinishedCalls.AsText, MalformedCalls = MalformedCalls.AsText,
        };
    }

    [TestCaseSource(nameof(Dialects))]
    public void Ten_megabytes_are_read_a_character_at_a_time(string dialect)
    {
        var value = new string('x', 10 << 20);
        var last = new Last();
        var parser = ReplyParser.Create(dialect, new ReplyOptions { CallsInFences = CallsInFences.AsText });
        var (before, behind) = ReplyParts.AroundValue(dialect);
        foreach (var text in new[] { before, value, behind })
        {
            for (var i = 0; i < text.Length; i++) parser.Push(text.AsSpan(i, 1), last);
        }
        parser.Finish(last);
        if (behind.Length > 0) Assert.That(((ToolCallEnded)last.Event!).Arguments, Is.EqualTo($"{{\"p\": \"{value}\"}}"));
        else Assert.That(last.Event, Is.EqualTo(new ReplyText("x")));
    }

    // Whatever is undecided waits for no more than this many characters, far behind any place; a call's own beginning may be longer.
    [TestCaseSource(nameof(Dialects))]
    public void What_may_be_a_call_is_not_held_for_long(string dialect)
    {
        const int mostHeld = 2048;
        foreach (var begun in ReplyParts.Markers(dialect).Select(marker => "So " + marker).Append("So ").Append("{\"note\": \""))
        {
            foreach (var prose in new[] { "and so on ", "word", "\n", "a, b; c.", "(x) " })
            {
                var parser = ReplyParser.Create(dialect, new ReplyOptions { CallsInFences = CallsInFences.AsText });
                var said = new List<ReplyEvent>();
                var text = begun + string.Concat(Enumerable.Repeat(prose, 8 * mostHeld / prose.Length)) + "end";
                parser.Push(text, said);
                var before = Length(said);
                parser.Finish(said);
                // What became a call's argument, or its name, was passed on, or is told at the end.
                if (said.Any(e => e is ToolCallBegun or ToolCallDropped)) continue;
                Assert.That(Length(said) - before, Is.LessThan(mostHeld), $"{begun} and then {prose}");
            }
        }

        static int Length(List<ReplyEvent> events) =>
            events.OfType<ReplyText>().Sum(e => e.Text.Length) + events.OfType<ThinkingText>().Sum(e => e.Text.Length);
    }

    private static long Cost(string dialect, ReplyOptions given, string repeated, string start, int length, int size)
    {
        var text = start + string.Concat(Enumerable.Repeat(repeated, length / repeated.Length));
        var parser = ReplyParser.Create(dialect, given);
        var last = new Last();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < text.Length; i += Math.Min(size, text.Length - i)) parser.Push(text.AsSpan(i, Math.Min(size, text.Length - i)), last);
        parser.Finish(last);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static bool Has(int bits, int bit) => (bits >> bit & 1) != 0;

    // Keeps one event, so that what is measured is the parser.
    private sealed class Last : System.Collections.ObjectModel.Collection<ReplyEvent>
    {
        public ReplyEvent? Event { get; private set; }

        protected override void InsertItem(int index, ReplyEvent item) => Event = item;
    }
}
