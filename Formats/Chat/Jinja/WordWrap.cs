using System.Text;
using System.Text.RegularExpressions;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>The filter wordwrap: Python's textwrap, line by line.</summary>
internal static partial class WordWrap
{
    public static string Apply(Run run, string text, Arguments a)
    {
        var width = a.Whole(0, "width", 79);
        var (breakLong, onHyphens) = (a.Flag(1, "break_long_words", true), a.Flag(3, "break_on_hyphens", true));
        var between = a.TryGet(2, "wrapstring", out var own) && own is not null ? Python.Str(own) : "\n";
        if (width <= 0) throw new JinjaError($"invalid width {width} (must be > 0)");
        var lines = StringSplit.Lines(text, keepEnds: false)
            .Select(line => string.Join(between, Wrap(line, (int)Math.Min(width, int.MaxValue), breakLong, onHyphens)));
        var made = new StringBuilder();
        var first = true;
        foreach (var line in lines)
        {
            if (!first) made.Append(between);
            first = false;
            made.Append(line);
            run.SpendText(made.Length > Run.MaxText ? made.Length : line.Length);
        }
        return made.ToString();
    }

    private static List<string> Wrap(string line, int width, bool breakLong, bool onHyphens)
    {
        // What is left of each chunk; cutting a piece off a long one copies nothing.
        var chunks = new Stack<ReadOnlyMemory<char>>(Chunks(line, onHyphens).Reverse().Select(chunk => chunk.AsMemory()));
        var lines = new List<string>();
        var current = new StringBuilder();
        while (chunks.Count > 0)
        {
            Run.Charge(32);
            current.Clear();
            var (length, last) = (0, 0);
            if (IsBlank(chunks.Peek().Span) && lines.Count > 0) chunks.Pop();
            while (chunks.Count > 0 && Fits(chunks.Peek().Span, width - length, out var size))
            {
                length += size;
                (last, _) = (current.Length, current.Append(chunks.Pop().Span));
            }
            if (chunks.Count > 0 && !Fits(chunks.Peek().Span, width, out _) && (breakLong || current.Length == 0))
            {
                var chunk = chunks.Pop();
                var end = breakLong ? Cut(chunk.Span, Math.Max(1, width - length), onHyphens) : chunk.Length;
                (last, _) = (current.Length, current.Append(chunk.Span[..end]));
                if (end < chunk.Length) chunks.Push(chunk[end..]);
            }
            if (current.Length > last && IsBlank(current.ToString(last, current.Length - last))) current.Length = last;
            if (current.Length > 0) lines.Add(current.ToString());
        }
        return lines;
    }

    // Where a long word is broken: behind the last hyphen that fits, or where the line is full.
    private static int Cut(ReadOnlySpan<char> chunk, int room, bool onHyphens)
    {
        var end = 0;
        for (; room > 0 && end < chunk.Length; room--) end += end + 1 < chunk.Length && char.IsSurrogatePair(chunk[end], chunk[end + 1]) ? 2 : 1;
        if (!onHyphens || end == chunk.Length) return end;
        var hyphen = chunk[..end].LastIndexOf('-');
        return hyphen > 0 && chunk[..hyphen].ContainsAnyExcept('-') ? hyphen + 1 : end;
    }

    private static bool Fits(ReadOnlySpan<char> chunk, int room, out int size)
    {
        size = room + 1;
        if (room < 0 || chunk.Length / 2 > room) return false;
        size = chunk.Length;
        foreach (var c in chunk)
        {
            if (char.IsLowSurrogate(c)) size--;
        }
        return size <= room;
    }

    private static bool IsBlank(ReadOnlySpan<char> chunk)
    {
        foreach (var c in chunk)
        {
            if (!PythonText.IsSpace(c)) return false;
        }
        return true;
    }

    // Words and the spaces between them; a word also ends behind a hyphen between letters, and at a dash.
    private static IEnumerable<string> Chunks(string line, bool onHyphens) =>
        (onHyphens ? Hyphenated() : Plain()).Split(line).Where(chunk => chunk.Length > 0);

    [GeneratedRegex(
        """([\t\n\x0b\x0c\r ]+|(?<=[\w!"'&.,?])-{2,}(?=\w)""" +
        """|[^\t\n\x0b\x0c\r ]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])""" +
        """|(?=[\t\n\x0b\x0c\r ]|\z)|(?<=[\w!"'&.,?])(?=-{2,}\w)))""")]
    private static partial Regex Hyphenated();

    [GeneratedRegex("""([\t\n\x0b\x0c\r ]+)""")]
    private static partial Regex Plain();
}
