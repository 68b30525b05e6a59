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
        var lines = StringSplit.Lines(text, keepEnds: false).Select(line => string.Join(between, Wrap(line, (int)Math.Min(width, int.MaxValue), breakLong, onHyphens)));
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
        var chunks = new Stack<string>(Chunks(line, onHyphens).Reverse());
        var lines = new List<string>();
        while (chunks.Count > 0)
        {
            var (current, length) = (new List<string>(), 0);
            if (IsBlank(chunks.Peek()) && lines.Count > 0) chunks.Pop();
            while (chunks.Count > 0 && length + PythonText.Length(chunks.Peek()) <= width)
            {
                length += PythonText.Length(chunks.Peek());
                current.Add(chunks.Pop());
            }
            if (chunks.Count > 0 && PythonText.Length(chunks.Peek()) > width)
            {
                if (breakLong)
                {
                    var characters = PythonText.Characters(chunks.Pop()).ToList();
                    var room = Math.Max(1, width - length);
                    if (onHyphens && characters.Count > room)
                    {
                        var hyphen = characters.LastIndexOf("-", room - 1);
                        if (hyphen > 0 && characters.Take(hyphen).Any(c => c != "-")) room = hyphen + 1;
                    }
                    current.Add(string.Concat(characters.Take(room)));
                    chunks.Push(string.Concat(characters.Skip(room)));
                }
                else if (current.Count == 0) current.Add(chunks.Pop());
            }
            if (current.Count > 0 && IsBlank(current[^1])) current.RemoveAt(current.Count - 1);
            if (current.Count > 0) lines.Add(string.Concat(current));
        }
        return lines;
    }

    private static bool IsBlank(string chunk) => chunk.All(PythonText.IsSpace);

    // Words and the spaces between them; a word also ends behind a hyphen between letters, and at a dash.
    private static IEnumerable<string> Chunks(string line, bool onHyphens) => (onHyphens ? Hyphenated() : Plain()).Split(line).Where(chunk => chunk.Length > 0);

    [GeneratedRegex("""([\t\n\x0b\x0c\r ]+|(?<=[\w!"'&.,?])-{2,}(?=\w)|[^\t\n\x0b\x0c\r ]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\x0b\x0c\r ]|\z)|(?<=[\w!"'&.,?])(?=-{2,}\w)))""")]
    private static partial Regex Hyphenated();

    [GeneratedRegex("""([\t\n\x0b\x0c\r ]+)""")]
    private static partial Regex Plain();
}
