using System.Globalization;
using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>json.dumps, with Python's separators, number forms and escapes.</summary>
internal sealed class Json(Run run, bool ensureAscii, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
{
    private const int MaxDepth = 200;
    private readonly StringBuilder text = new();

    /// <summary>tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False), as transformers defines it.</summary>
    public static string Filter(Run run, object? value, Arguments a) => Filter(run, value, a, isStandard: false);

    /// <summary>tojson as Jinja itself has it: sorted, ASCII, and nothing in it that means something in HTML.</summary>
    public static string HtmlSafe(Run run, object? value, Arguments a) => Filter(run, value, a, isStandard: true)
        .Replace("<", "\\u003c", StringComparison.Ordinal).Replace(">", "\\u003e", StringComparison.Ordinal)
        .Replace("&", "\\u0026", StringComparison.Ordinal).Replace("'", "\\u0027", StringComparison.Ordinal);

    private static string Filter(Run run, object? value, Arguments a, bool isStandard)
    {
        var indent = a.Get(1, "indent", null) switch
        {
            null => null,
            string s => s,
            var n => new string(' ', (int)Math.Clamp(Python.Index(n), 0, Run.MaxText)),
        };
        var separators = a.Get(2, "separators", null) is { } pair and not Undefined ? Python.Iterate(pair) : null;
        if (separators is { Count: not 2 }) throw new JinjaError("separators must be a pair");
        var json = new Json(
            run, a.Flag(0, "ensure_ascii", isStandard), indent, separators is null ? (indent is null ? ", " : ",") : Python.Str(separators[0]),
                separators is null ? ": " : Python.Str(separators[1]), a.Flag(3, "sort_keys", isStandard));
        json.Write(value, 0);
        return run.Made(json.text.ToString());
    }

    private void Write(object? value, int depth)
    {
        if (depth > MaxDepth) throw new JinjaError("Circular reference detected, or nested too deep");
        if (text.Length > Run.MaxText) run.SpendText(text.Length);
        switch (value)
        {
            case null: text.Append("null"); break;
            case bool b: text.Append(b ? "true" : "false"); break;
            case long n: text.Append(n); break;
            case BigInteger n: text.Append(n.ToString(CultureInfo.InvariantCulture)); break;
            case double d: text.Append(Real(d)); break;
            case string s: Quote(s, text, ensureAscii); break;
            case JinjaList or JinjaTuple: WriteList(Python.Iterate(value), depth); break;
            case JinjaDict dict: WriteDict(dict, depth); break;
            default: throw new JinjaError($"Object of type {Python.TypeName(value)} is not JSON serializable");
        }
    }

    private static string Real(double d) => double.IsNaN(d) ? "NaN" : double.IsInfinity(d) ? (d > 0 ? "Infinity" : "-Infinity") : Floats.Repr(d);

    private void WriteList(IReadOnlyList<object?> items, int depth)
    {
        text.Append('[');
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) text.Append(itemSeparator);
            NewLine(depth + 1);
            Write(items[i], depth + 1);
        }
        if (items.Count > 0) NewLine(depth);
        text.Append(']');
    }

    private void WriteDict(JinjaDict dict, int depth)
    {
        var entries = sortKeys ? [.. Sorting.Stable(dict.Entries, p => p.Key, reverse: false)] : dict.Entries;
        text.Append('{');
        for (var i = 0; i < entries.Count; i++)
        {
            if (i > 0) text.Append(itemSeparator);
            NewLine(depth + 1);
            Quote(entries[i].Key switch
            {
                string s => s,
                null => "null",
                bool b => b ? "true" : "false",
                double d => Real(d),
                long or BigInteger => Python.Str(entries[i].Key),
                var other => throw new JinjaError($"keys must be str, int, float, bool or None, not {Python.TypeName(other)}"),
            }, text, ensureAscii);
            text.Append(keySeparator);
            Write(entries[i].Value, depth + 1);
        }
        if (entries.Count > 0) NewLine(depth);
        text.Append('}');
    }

    private void NewLine(int depth)
    {
        if (indent is null) return;
        run.SpendText(text.Length + ((long)indent.Length * depth) > Run.MaxText ? Run.MaxText + 1L : 0);
        text.Append('\n');
        for (var i = 0; i < depth; i++) text.Append(indent);
    }

    /// <summary>A string in quotes, everything beyond ASCII escaped, as json.dumps writes it.</summary>
    public static string Quoted(string s)
    {
        var text = new StringBuilder(s.Length + 2);
        Quote(s, text, ensureAscii: true);
        return text.ToString();
    }

    private static void Quote(string s, StringBuilder text, bool ensureAscii)
    {
        text.Append('"');
        foreach (var c in s)
        {
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\f': text.Append("\\f"); break;
                case '\b': text.Append("\\b"); break;
                case < ' ': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                case > '~' when ensureAscii && c != '\x7f': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default: text.Append(c); break;
            }
        }
        text.Append('"');
    }
}
