using System.Text;
using System.Text.Json;
using CsCheck;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>What holds for every text: where it is cut does not matter, nothing makes a parser throw, and neither time nor held text grows faster than the text.</summary>
public sealed class ReplyPropertyTests
{
    private static readonly string[] parts =
    [
        "<think>", "</think>", "<minimax:tool_call>", "</minimax:tool_call>", "<invoke name=\"f\">", "<invoke name='g' x=\"a>b\">", "<invoke>", "</invoke>", "<parameter name=\"p\">", "<parameter name=q>",
        "< parameter name = \"n\" >", "</parameter>", "< / parameter >", "\n", "  ", "text", "12", "1.50", "true", "null", "{\"a\": [1, 2]}", "<", "</", "<p", "\"", "\\", "é", "🌍", "\ud83c", ">", "=",
    ];

    private static readonly JsonElement tools = JsonElement.Parse("""[{"name": "f", "parameters": {"properties": {"p": {"type": ["number", "object"]}, "q": {"type": "string"}}}}]""");

    private static readonly Gen<string> replies = Gen.Int[0, parts.Length - 1].Array[0, 30].Select(picks => string.Concat(picks.Select(i => parts[i])));

    private static readonly Gen<ReplyOptions> options = Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool).Select((thinks, asText, drop, held, infer, trim, declares) => new ReplyOptions
    {
        Tools = declares ? tools : null,
        StartsThinking = thinks,
        ThinkingAsText = asText,
        TextAfterCalls = drop ? TextAfterCalls.Drop : TextAfterCalls.Keep,
        UnfinishedCalls = held ? UnfinishedCalls.AsText : UnfinishedCalls.Complete,
        MalformedCalls = held ? MalformedCalls.AsText : MalformedCalls.Drop,
        Arguments = new ArgumentRules { InferWithoutSchema = infer, TrimNewlinesOnly = trim, DecodeEntities = infer && trim },
    });

    private static readonly Gen<string> dialects = Gen.Int[0, ReplyParser.Dialects.Count - 1].Select(i => ReplyParser.Dialects[i]);

    public static IEnumerable<TestCaseData> Samples() => ReplyCaseTests.Cases(ReplyCaseTests.Own(), ReplyCaseTests.ReadKinds);

    [Test]
    public void Where_a_reply_is_cut_does_not_matter() =>
        Gen.Select(dialects, options, replies, Gen.Int[1, 9].Array[1, 20]).Sample(
            (dialect, given, text, sizes) =>
            {
                var whole = ReplyReading.Of(ReplyParser.Create(dialect, given), text).Summary();
                Assert.That(ReplyReading.Of(ReplyParser.Create(dialect, given), Cut(text, sizes)).Summary(), Is.EqualTo(whole));
            },
            iter: 3000);

    [TestCaseSource(nameof(Samples))]
    public void A_recorded_reply_may_be_cut_anywhere(JsonElement? test)
    {
        var c = new ReplyCase(test!.Value);
        var whole = ReplyReading.Of(c.CreateParser(), c.Output).Summary();
        for (var at = 0; at <= c.Output.Length; at++)
        {
            Assert.That(ReplyReading.Of(c.CreateParser(), [new Piece(c.Output[..at], null), new Piece(c.Output[at..], null)]).Summary(), Is.EqualTo(whole), $"cut at {at}");
        }
        Gen.Int[1, 12].Array[1, 20].Sample(sizes => Assert.That(ReplyReading.Of(c.CreateParser(), Cut(c.Output, sizes)).Summary(), Is.EqualTo(whole)), iter: 100);
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

    [Test]
    public void Text_that_cannot_be_a_marker_is_passed_on_at_once()
    {
        var events = new List<ReplyEvent>();
        var parser = ReplyParser.Create("minimax_m2");
        foreach (var (piece, certain) in new[] { ("a", "a"), (" <", " "), ("b", "<b"), ("<thi", ""), ("s", "<this"), ("<minimax:tool_cal", ""), ("e", "<minimax:tool_cale") })
        {
            events.Clear();
            parser.Push(piece, events);
            Assert.That(string.Concat(events.Cast<ReplyText>().Select(e => e.Text)), Is.EqualTo(certain), piece);
        }
    }

    // Work is counted in bytes allocated, which does not depend on the machine: four times the text may cost little more than four times as much.
    [TestCase("<parameter name=")]
    [TestCase("<minimax:tool_call>")]
    [TestCase("<minimax:tool_call><invoke name=\"f\">")]
    [TestCase("<invoke name=\"f\"><parameter name=\"p\">")]
    [TestCase("</parameter>")]
    [TestCase("</parameter> x")]
    [TestCase("< ")]
    [TestCase("<")]
    [TestCase("\"")]
    [TestCase("\n")]
    [TestCase("<invoke name=\"f\"><parameter name=\"a\">1</parameter></invoke>")]
    public void Cost_is_linear_in_the_text(string repeated)
    {
        foreach (var size in new[] { 1, int.MaxValue })
        {
            foreach (var start in new[] { "", "<minimax:tool_call>", "<minimax:tool_call><invoke name=\"f\">", "<minimax:tool_call><invoke name=\"f\"><parameter name=\"p\">" })
            {
                Cost(repeated, start, 1_000, size);
                var (small, large) = (Cost(repeated, start, 50_000, size), Cost(repeated, start, 200_000, size));
                Assert.That(large, Is.LessThan((6 * small) + 100_000), $"{start} in pieces of {size}");
            }
        }
    }

    [Test]
    public void Ten_megabytes_are_read_a_character_at_a_time()
    {
        var value = new string('x', 10 << 20);
        var last = new Last();
        var parser = ReplyParser.Create("minimax_m2");
        foreach (var text in new[] { "<minimax:tool_call><invoke name=\"f\"><parameter name=\"p\">", value, "</parameter></invoke></minimax:tool_call>" })
        {
            for (var i = 0; i < text.Length; i++) parser.Push(text.AsSpan(i, 1), last);
        }
        parser.Finish(last);
        Assert.That(((ToolCallEnded)last.Event!).Arguments, Is.EqualTo($"{{\"p\": \"{value}\"}}"));
    }

    private static long Cost(string repeated, string start, int length, int size)
    {
        var text = start + string.Concat(Enumerable.Repeat(repeated, length / repeated.Length));
        var parser = ReplyParser.Create("minimax_m2");
        var last = new Last();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < text.Length; i += Math.Min(size, text.Length - i)) parser.Push(text.AsSpan(i, Math.Min(size, text.Length - i)), last);
        parser.Finish(last);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static IEnumerable<Piece> Cut(string text, int[] sizes)
    {
        for (var (i, n) = (0, 0); i < text.Length; n++)
        {
            var size = Math.Min(sizes[n % sizes.Length], text.Length - i);
            yield return new Piece(text.Substring(i, size), null);
            i += size;
        }
    }

    // Keeps one event, so that what is measured is the parser.
    private sealed class Last : System.Collections.ObjectModel.Collection<ReplyEvent>
    {
        public ReplyEvent? Event { get; private set; }

        protected override void InsertItem(int index, ReplyEvent item) => Event = item;
    }
}
