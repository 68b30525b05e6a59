using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>
/// Cuts a template into tokens, with trim_blocks and lstrip_blocks as the style has them and one line end at the end of the template
/// dropped.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    private readonly TemplateSource source;
    private readonly string text;
    private readonly List<Token> tokens = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);
    private int at;
    private int line = 1;

    public Lexer(TemplateSource source)
    {
        this.source = source;
        text = source.Text;
    }

    /// <summary>All tokens, the last one being <see cref="TokenKind.End"/>.</summary>
    public List<Token> Run()
    {
        var trimLeft = false;          // the last tag takes all whitespace behind it
        var trimNewline = false;       // the last tag takes the line end behind it
        var lineStarting = true;       // nothing but what was taken stands between the last line end and here
        while (at < text.Length)
        {
            var open = FindOpening(at);
            var data = text[at..open];
            var dataLine = line;
            CountLines(at, open);
            if (trimLeft) data = data.TrimStart(Whitespace);
            else if (trimNewline && data.StartsWith('\n')) (data, lineStarting) = (data[1..], true);
            at = open;
            if (open == text.Length)
            {
                AddData(data, dataLine);
                break;
            }

            var kind = text[open + 1];
            var sign = open + 2 < text.Length && (text[open + 2] is '-' or '+') ? text[open + 2] : '\0';
            if (sign == '-') data = data.TrimEnd(Whitespace);
            else if (sign != '+' && kind != '{' && source.Style.TrimsBlocks) data = StripLine(data, lineStarting);
            AddData(data, dataLine);
            at += sign == '\0' ? 2 : 3;
            (trimLeft, trimNewline) = kind switch
            {
                '#' => Comment(),
                '%' => Tag(),
                _ => Print(),
            };
            lineStarting = false;
        }
        tokens.Add(new Token(TokenKind.End, "", line));
        return tokens;
    }

    private static readonly char[] Whitespace = [
        .. Enumerable.Range(0, 0x3001).Select(i => (char)i).Where(c => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f')];

    // Whitespace before a tag goes only if nothing but it stands between the tag and the start of the line.
    private static string StripLine(string data, bool atLineStart)
    {
        var end = data.Length;
        while (end > 0 && data[end - 1] != '\n' && char.IsWhiteSpace(data[end - 1])) end--;
        return end == 0 ? (atLineStart ? "" : data) : data[end - 1] == '\n' ? data[..end] : data;
    }

    private int FindOpening(int from)
    {
        for (var i = from; i + 1 < text.Length; i++)
        {
            if (text[i] == '{' && (text[i + 1] is '{' or '%' or '#')) return i;
        }
        return text.Length;
    }

    private void AddData(string data, int its)
    {
        if (data.Length > 0) tokens.Add(new Token(TokenKind.Data, data, its));
    }

    private (bool TrimLeft, bool TrimNewline) Comment()
    {
        var start = at;
        var end = text.IndexOf("#}", at, StringComparison.Ordinal);
        if (end < 0) throw source.Error(line, "Missing end of comment tag");
        CountLines(at, end);
        at = end + 2;
        var sign = end - 1 >= start ? text[end - 1] : '\0';
        return (sign == '-', sign != '+' && source.Style.TrimsBlocks);
    }

    private (bool TrimLeft, bool TrimNewline) Print()
    {
        tokens.Add(new Token(TokenKind.PrintStart, "{{", line));
        var minus = Expression("}}", TokenKind.PrintEnd);
        return (minus == '-', false);
    }

    private (bool TrimLeft, bool TrimNewline) Tag()
    {
        if (TryRaw(out var raw)) return raw;
        tokens.Add(new Token(TokenKind.TagStart, "{%", line));
        var sign = Expression("%}", TokenKind.TagEnd);
        return (sign == '-', sign != '+' && source.Style.TrimsBlocks);
    }

    /// <summary>{% raw %} … {% endraw %}: everything in it is text.</summary>
    private bool TryRaw(out (bool, bool) trim)
    {
        trim = default;
        var i = SkipSpace(at);
        if (!text.AsSpan(i).StartsWith("raw") || (i + 3 < text.Length && IsNamePart(text[i + 3]))) return false;
        i = SkipSpace(i + 3);
        var minus = i < text.Length && text[i] == '-';
        if (minus) i++;
        if (!text.AsSpan(i).StartsWith("%}")) return false;
        i += 2;
        if (i == text.Length)
        {
            at = i;
            return true;
        }
        for (var end = i; (end = text.IndexOf("{%", end, StringComparison.Ordinal)) >= 0; end += 2)
        {
            var sign = end + 2 < text.Length ? text[end + 2] : '\0';
            var k = SkipSpace(end + 2 + (sign is '-' or '+' ? 1 : 0));
            if (!text.AsSpan(k).StartsWith("endraw")) continue;
            k = SkipSpace(k + 6);
            var closing = k < text.Length ? text[k] : '\0';
            if (closing is '-' or '+') k++;
            if (!text.AsSpan(k).StartsWith("%}")) continue;
            var data = text[i..end];
            if (minus) data = data.TrimStart(Whitespace);
            data = sign == '-' ? data.TrimEnd(Whitespace)
                : sign == '+' || !source.Style.TrimsBlocks ? data
                : StripLine(data, atLineStart: false);
            AddData(data, line);
            CountLines(at, k);
            at = k + 2;
            trim = (closing == '-', closing != '+' && source.Style.TrimsBlocks);
            return true;
        }
        throw source.Error(line, "Missing end of raw directive");
    }

    /// <summary>Tokens up to the closing mark; returns the sign in front of it, or 0.</summary>
    private char Expression(string close, TokenKind closeKind)
    {
        var brackets = new Stack<(char Close, int Line)>();
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                if (text[at] == '\n') line++;
                at++;
            }
            if (at >= text.Length) return '\0';                        // the parser says what is missing
            var rest = text.AsSpan(at);
            if (brackets.Count == 0)
            {
                if (rest.StartsWith(close)) return Close(0);
                if (rest[0] is '-' or '+' && rest[1..].StartsWith(close) && !(rest[0] == '+' && closeKind == TokenKind.PrintEnd)) return Close(1);
            }
            var c = rest[0];
            if (c is '"' or '\'') Quoted(c);
            else if (char.IsAsciiDigit(c)) Number();
            else if (IsNamePart(c)) Name();
            else Operator(brackets);
        }

        char Close(int skip)
        {
            var sign = skip == 1 ? text[at] : '\0';
            tokens.Add(new Token(closeKind, close, line));
            at += skip + 2;
            return sign;
        }
    }

    private void Operator(Stack<(char Close, int Line)> brackets)
    {
        foreach (var op in Operators)
        {
            if (!text.AsSpan(at).StartsWith(op)) continue;
            switch (op)
            {
                case "(": brackets.Push((')', line)); break;
                case "[": brackets.Push((']', line)); break;
                case "{": brackets.Push(('}', line)); break;
                case ")" or "]" or "}":
                    if (brackets.Count == 0) throw source.Error(line, $"unexpected '{op}'");
                    var expected = brackets.Pop().Close;
                    if (expected != op[0]) throw source.Error(line, $"unexpected '{op}', expected '{expected}'");
                    break;
            }
            tokens.Add(new Token(TokenKind.Operator, op, line));
            at += op.Length;
            return;
        }
        throw source.Error(line, $"unexpected char {Python.Repr(PythonText.CharacterAt(text, at))} at {PythonText.Length(text[..at])}");
    }

    private void Name()
    {
        var start = at;
        while (at < text.Length && IsNamePart(text[at])) at++;
        tokens.Add(new Token(TokenKind.Name, Known(text[start..at]), line));
    }

    // One object for every name, the one of the interpreter's own names where it is one of those: looking it up is quick then.
    private string Known(string name)
    {
        if (names.TryGetValue(name, out var known)) return known;
        names.Add(known = string.IsInterned(name) ?? name);
        return known;
    }

    private void Number()
    {
        var start = at;
        var afterDot = tokens.Count > 0 && tokens[^1].Is(".");
        if (text[at] == '0' && at + 1 < text.Length && (text[at + 1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B'))
        {
            at += 2;
            while (at < text.Length && (char.IsAsciiHexDigit(text[at]) || text[at] == '_')) at++;
            tokens.Add(new Token(TokenKind.Integer, text[start..at].Replace("_", "", StringComparison.Ordinal), line));
            return;
        }
        // Nothing but zeros may begin with a zero.
        if (text[at] == '0')
        {
            while (at < text.Length && text[at] == '0') at++;
            if (at + 1 < text.Length && text[at] == '_' && text[at + 1] == '0') Digits();
        }
        else Digits();
        var isFloat = false;
        if (!afterDot)
        {
            if (at + 1 < text.Length && text[at] == '.' && char.IsAsciiDigit(text[at + 1]))
            {
                isFloat = true;
                at++;
                Digits();
            }
            var e = at;
            if (e < text.Length && text[e] is 'e' or 'E')
            {
                e++;
                if (e < text.Length && text[e] is '+' or '-') e++;
                if (e < text.Length && char.IsAsciiDigit(text[e]))
                {
                    isFloat = true;
                    at = e;
                    Digits();
                }
            }
        }
        tokens.Add(new Token(isFloat ? TokenKind.Float : TokenKind.Integer, text[start..at].Replace("_", "", StringComparison.Ordinal), line));
    }

    private void Digits()
    {
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || (text[at] == '_' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]))))
            at++;
    }

    private void Quoted(char quote)
    {
        var (start, from) = (line, at);
        var value = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            var c = text[at];
            if (c == quote)
            {
                at++;
                tokens.Add(new Token(TokenKind.Text, value.ToString(), start));
                return;
            }
            if (c == '\n') line++;
            if (c == '\\' && at + 1 < text.Length)
                at = Escapes.Read(text, at, value) is >= 0 and var last ? last : throw source.Error(line, Escapes.Problem(text[at + 1]));
            else value.Append(c);
        }
        throw source.Error(start, $"unexpected char {Python.Repr(quote.ToString())} at {PythonText.Length(text[..from])}");
    }

    private int SkipSpace(int i)
    {
        while (i < text.Length && char.IsWhiteSpace(text[i])) i++;
        return i;
    }

    private void CountLines(int from, int to) => line += text.AsSpan(from, to - from).Count('\n');

    private static bool IsNamePart(char c) => c == '_' || char.IsLetterOrDigit(c);
}
