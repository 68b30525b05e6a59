using System.Text;
using System.Text.Json;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>What a parser said of a reply, joined; checks on the way what holds for every reply.</summary>
internal sealed class ReplyReading
{
    private readonly StringBuilder thinking = new();
    private readonly StringBuilder text = new();

    private ReplyReading(ReplyParser parser) => Parser = parser;

    public ReplyParser Parser { get; }

    public List<ReplyEvent> Events { get; } = [];

    /// <summary>How many events there were before the end was announced, and how many before the last piece.</summary>
    public int BeforeFinish { get; private set; }

    public int BeforeLastPiece { get; private set; }

    public string Thinking => thinking.ToString();

    public string Text => text.ToString();

    public List<ToolCallEnded> Calls { get; } = [];

    public List<ToolCallDropped> Dropped { get; } = [];

    public static ReplyReading Of(ReplyParser parser, IEnumerable<Piece> pieces, bool finish = true)
    {
        var reading = new ReplyReading(parser);
        foreach (var piece in pieces)
        {
            reading.BeforeLastPiece = reading.Events.Count;
            if (piece.Id is { } id) parser.Push(id, piece.Text, reading.Events);
            else parser.Push(piece.Text, reading.Events);
        }
        reading.BeforeFinish = reading.Events.Count;
        if (finish) parser.Finish(reading.Events);
        reading.Join(finish);
        return reading;
    }

    public static ReplyReading Of(ReplyParser parser, string text, int size = int.MaxValue, bool finish = true) =>
        Of(parser, Cut(text, size), finish);

    public static IEnumerable<Piece> Cut(string text, params int[] sizes)
    {
        for (var (i, n) = (0, 0); i < text.Length; n++)
        {
            var size = Math.Min(sizes[n % sizes.Length], text.Length - i);
            yield return new Piece(text.Substring(i, size), null);
            i += size;
        }
    }

    /// <summary>Everything the events say, so that readings can be compared whatever their pieces were.</summary>
    public string Summary()
    {
        var summary = new StringBuilder();
        ReplyEvent? last = null;
        foreach (var e in Events)
        {
            summary.Append((e, last) switch
            {
                (ThinkingText t, ThinkingText) => t.Text,
                (ThinkingText t, _) => "\n[thinking]" + t.Text,
                (ReplyText t, ReplyText) => t.Text,
                (ReplyText t, _) => "\n[text]" + t.Text,
                (ToolCallArguments a, ToolCallArguments) => a.Json,
                (ToolCallArguments a, _) => "\n[arguments]" + a.Json,
                _ => "\n" + e,
            });
            last = e;
        }
        return summary.ToString();
    }

    /// <summary>The argument fragments passed on before the end was announced, joined.</summary>
    public string ArgumentsBeforeFinish() => string.Concat(Events.Take(BeforeFinish).OfType<ToolCallArguments>().Select(a => a.Json));

    // Calls come one after another, counted from 0, a name first; their fragments join to the one JSON object that the end tells.
    private void Join(bool finished)
    {
        ToolCallBegun? open = null;
        var fragments = new StringBuilder();
        foreach (var e in Events)
        {
            switch (e)
            {
                case ThinkingText t:
                    Assert.That(t.Text, Is.Not.Empty);
                    thinking.Append(t.Text);
                    break;
                case ReplyText t:
                    Assert.That(t.Text, Is.Not.Empty);
                    text.Append(t.Text);
                    break;
                case ToolCallBegun begun:
                    Assert.That(open, Is.Null);
                    Assert.That(begun.Index, Is.EqualTo(Calls.Count));
                    Assert.That(begun.Name, Is.Not.Empty);
                    open = begun;
                    fragments.Clear();
                    break;
                case ToolCallArguments more:
                    Assert.That(more.Index, Is.EqualTo(open?.Index));
                    Assert.That(more.Json, Is.Not.Empty);
                    fragments.Append(more.Json);
                    break;
                case ToolCallEnded ended:
                    Assert.That((ended.Index, ended.Name), Is.EqualTo((open?.Index ?? -1, open?.Name)));
                    Assert.That(ended.Arguments, Is.EqualTo(fragments.ToString()));
                    using (var json = JsonDocument.Parse(ended.Arguments,
                        new JsonDocumentOptions { MaxDepth = 80, AllowDuplicateProperties = false }))
                    {
                        Assert.That(json.RootElement.ValueKind, Is.EqualTo(JsonValueKind.Object));
                    }
                    Calls.Add(ended);
                    open = null;
                    break;
                case ToolCallDropped dropped:
                    Assert.That(open, Is.Null);
                    Assert.That(JsonElement.Parse(dropped.Arguments, new JsonDocumentOptions { MaxDepth = 80 }).ValueKind,
                        Is.EqualTo(JsonValueKind.Object));
                    Dropped.Add(dropped);
                    break;
                default:
                    throw new AssertionException($"an event of an unknown kind: {e}");
            }
        }
        if (finished) Assert.That(open, Is.Null);
    }
}
