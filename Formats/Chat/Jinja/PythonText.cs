using System.Globalization;
using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Strings as Python sees them, by code points, and what values look like in print.</summary>
internal static class PythonText
{
    private const int MaxDepth = 200;
    private static readonly string[] Ascii7 = [.. Enumerable.Range(0, 128).Select(c => ((char)c).ToString())];

    /// <summary>Code points in a text.</summary>
    public static int Length(string text)
    {
        var length = text.Length;
        for (var i = text.AsSpan().IndexOfAnyInRange('\ud800', '\udbff'); i >= 0 && i + 1 < text.Length; i++)
        {
            if (!char.IsSurrogatePair(text[i], text[i + 1])) continue;
            length--;
            i++;
        }
        return length;
    }

    /// <summary>Each code point as a string of its own.</summary>
    public static IEnumerable<string> Characters(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var character = CharacterAt(text, i);
            yield return character;
            i += character.Length;
        }
    }

    /// <summary>The UTF-16 place of a code point, counted from one that is known; the length of the text where it has fewer.</summary>
    public static int Offset(string text, int place, int at = 0, int atPlace = 0)
    {
        for (place -= atPlace; place > 0 && at < text.Length; place--)
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return at;
    }

    /// <summary>The code point at a UTF-16 place.</summary>
    public static string CharacterAt(string text, int at) =>
        text[at] < Ascii7.Length
            ? Ascii7[text[at]]
            : text.Substring(at, at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1);

    /// <summary>text[from:to] by code points, for places within the text.</summary>
    public static string Part(string text, long from, long to)
    {
        if (from >= to) return "";
        var start = Offset(text, (int)from);
        return text.Substring(start, Offset(text, (int)to, start, (int)from) - start);
    }

    /// <summary>chr(code); half a surrogate pair stays what it is.</summary>
    public static string FromCodePoint(int code) => code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code);

    /// <summary>A repr with everything beyond ASCII escaped, as ascii() has it.</summary>
    public static string Ascii(string repr)
    {
        var text = new StringBuilder(repr.Length);
        foreach (var rune in repr.EnumerateRunes())
        {
            if (rune.Value < 128) text.Append((char)rune.Value);
            else text.Append(rune.Value <= 0xFF ? $"\\x{rune.Value:x2}" : rune.Value <= 0xFFFF ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}");
        }
        return text.ToString();
    }

    /// <summary>Order by code points, which the order of UTF-16 units is not above U+FFFF.</summary>
    public static int Compare(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        for (var i = 0; i < length; i++)
        {
            if (a[i] == b[i]) continue;
            var (x, y) = (a[i], b[i]);
            if (char.IsSurrogate(x) != char.IsSurrogate(y)) return char.IsSurrogate(x) ? 1 : -1;
            return x < y ? -1 : 1;
        }
        return a.Length.CompareTo(b.Length);
    }

    /// <summary>str.isspace of one character.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static string Strip(string text, string? characters, bool left, bool right)
    {
        var (start, end) = (0, text.Length);
        while (left && start < end && Goes(text[start])) start++;
        while (right && end > start && Goes(text[end - 1])) end--;
        return text[start..end];

        bool Goes(char c) => characters is null ? IsSpace(c) : characters.Contains(c);
    }

    public static void Repr(object? value, StringBuilder into, int depth)
    {
        if (depth > MaxDepth) throw new JinjaError("maximum recursion depth exceeded while getting the repr of an object");
        if (into.Length > Run.MaxText) throw new JinjaError($"a text longer than {Run.MaxText} characters is not allowed");
        switch (value)
        {
            case null: into.Append("None"); break;
            case bool b: into.Append(b ? "True" : "False"); break;
            case long n: into.Append(n); break;
            case BigInteger n: into.Append(n.ToString(CultureInfo.InvariantCulture)); break;
            case double d: into.Append(Floats.Repr(d)); break;
            case string s: Quote(s, into); break;
            case JinjaList list: Join(list.Items, "[", "]", into, depth); break;
            case JinjaTuple tuple: Join(tuple.Items, "(", tuple.Items.Count == 1 ? ",)" : ")", into, depth); break;
            case JinjaDict dict:
                into.Append('{');
                for (var i = 0; i < dict.Count; i++)
                {
                    if (i > 0) into.Append(", ");
                    Repr(dict.Entries[i].Key, into, depth + 1);
                    into.Append(": ");
                    Repr(dict.Entries[i].Value, into, depth + 1);
                }
                into.Append('}');
                break;
            case Undefined: into.Append("Undefined"); break;
            case JinjaRange range: into.Append(range); break;
            case JinjaGenerator: into.Append("<generator object>"); break;
            case JinjaView view: Join(view.Items, $"{view.TypeName}([", "])", into, depth); break;
            case JinjaMarkup safe: Quote(safe.Text, into.Append("Markup(")); into.Append(')'); break;
            case JinjaNamespace space:
                into.Append("<Namespace ");
                Repr(space.ToDict(), into, depth + 1);
                into.Append('>');
                break;
            case LoopState loop: into.Append(loop); break;
            case Callable { Attributes: not null } macro: into.Append("<Macro '").Append(macro.Name).Append("'>"); break;
            case Callable function: into.Append("<function ").Append(function.Name).Append('>'); break;
            default: into.Append('<').Append(Python.TypeName(value)).Append('>'); break;
        }
    }

    private static void Join(IReadOnlyList<object?> items, string open, string close, StringBuilder into, int depth)
    {
        into.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) into.Append(", ");
            Repr(items[i], into, depth + 1);
        }
        into.Append(close);
    }

    private static void Quote(string text, StringBuilder into)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        into.Append(quote);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsSurrogate(c) && !(i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1])))
            {
                into.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                continue;
            }
            if (c == quote || c == '\\') into.Append('\\').Append(c);
            else if (c == '\n') into.Append("\\n");
            else if (c == '\r') into.Append("\\r");
            else if (c == '\t') into.Append("\\t");
            else if (c is < ' ' or '\x7f') into.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
            else if (c < 127) into.Append(c);
            else
            {
                Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var size);
                if (IsPrintable(rune)) into.Append(text, i, size);
                else into.Append(rune.Value <= 0xFF ? $"\\x{rune.Value:x2}" : rune.Value <= 0xFFFF ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}");
                i += size - 1;
            }
        }
        into.Append(quote);
    }

    public static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
