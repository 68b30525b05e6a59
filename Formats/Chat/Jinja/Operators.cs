namespace Quilt.Formats.Chat.Jinja;

/// <summary>Arithmetic and comparison with Python's types, and Python's words where they do not fit.</summary>
internal static class Operators
{
    public static object? Apply(string op, object? a, object? b, Run run)
    {
        if (a is Undefined u) throw u.Fail();
        if (b is Undefined v) throw v.Fail();
        if (Python.TryNumber(a, out var x) && Python.TryNumber(b, out var y)) return Number.Compute(op, x, y).Box();
        switch (op, a, b)
        {
            case ("+", string s, string t):
                run.SpendText((long)s.Length + t.Length);
                return s + t;
            case ("+", JinjaList l, JinjaList m): return new JinjaList(Joined(l.Items, m.Items, run));
            case ("+", JinjaTuple l, JinjaTuple m): return new JinjaTuple(Joined(l.Items, m.Items, run));
            case ("*", string s, long or bool): return Repeat(s, Python.Index(b), run);
            case ("*", long or bool, string s): return Repeat(s, Python.Index(a), run);
            case ("*", JinjaList l, long or bool): return new JinjaList(Repeat(l.Items, Python.Index(b), run));
            case ("*", JinjaTuple l, long or bool): return new JinjaTuple(Repeat(l.Items, Python.Index(b), run));
            case ("*", long or bool, JinjaList l): return new JinjaList(Repeat(l.Items, Python.Index(a), run));
            case ("%", string s, _): return PercentFormat.Apply(s, b, run);
            case ("+", string, _): throw new JinjaError($"can only concatenate str (not \"{Python.TypeName(b)}\") to str");
            case ("+", JinjaList, _): throw new JinjaError($"can only concatenate list (not \"{Python.TypeName(b)}\") to list");
            case ("*", string or JinjaList or JinjaTuple, _): throw new JinjaError($"can't multiply sequence by non-int of type '{Python.TypeName(b)}'");
            default: throw new JinjaError($"unsupported operand type(s) for {(op == "**" ? "** or pow()" : op)}: '{Python.TypeName(a)}' and '{Python.TypeName(b)}'");
        }
    }

    public static bool Holds(string op, object? a, object? b) => op switch
    {
        "==" => Python.AreEqual(a, b),
        "!=" => !Python.AreEqual(a, b),
        "in" => Python.Contains(b, a),
        "not in" => !Python.Contains(b, a),
        _ when IsNaN(a) || IsNaN(b) => false,
        "<" => Python.Compare(a, b, op) < 0,
        "<=" => Python.Compare(a, b, op) <= 0,
        ">" => Python.Compare(a, b, op) > 0,
        _ => Python.Compare(a, b, op) >= 0,
    };

    private static bool IsNaN(object? value) => value is double.NaN;

    private static string Repeat(string text, long times, Run run)
    {
        if (times <= 0 || text.Length == 0) return "";
        run.SpendText(times > Run.MaxText ? long.MaxValue : text.Length * times);
        return new System.Text.StringBuilder(text.Length * (int)times).Insert(0, text, (int)times).ToString();
    }

    private static object?[] Repeat(IReadOnlyList<object?> items, long times, Run run)
    {
        if (times <= 0 || items.Count == 0) return [];
        run.SpendText(times > Run.MaxText ? long.MaxValue : 16L * items.Count * times);
        return [.. Enumerable.Range(0, (int)times).SelectMany(_ => items)];
    }

    private static object?[] Joined(IReadOnlyList<object?> a, IReadOnlyList<object?> b, Run run)
    {
        run.SpendText(16L * (a.Count + (long)b.Count));
        return [.. a, .. b];
    }
}
