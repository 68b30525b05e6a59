using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Arithmetic and comparison with Python's types, and Python's words where they do not fit.</summary>
internal static class Operators
{
    public static object? Apply(string op, object? a, object? b, Run run)
    {
        if (a is long m && b is long n && TryFast(op, m, n, out var fast)) return fast;
        if (a is BigInteger) run.SpendOn(a);
        if (b is BigInteger) run.SpendOn(b);
        if (op == "%" && a is string format) return PercentFormat.Apply(format, b, run);
        if (a is Undefined u) throw u.Fail();
        if (b is Undefined v) throw v.Fail();
        if (Python.TryNumber(a, out var x) && Python.TryNumber(b, out var y)) return Number.Compute(op, x, y).Box();
        switch (op, a, b)
        {
            case ("+", string s, string t):
                run.SpendText((long)s.Length + t.Length);
                return s + t;
            case ("+", JinjaList k, JinjaList l): return new JinjaList(Joined(k.Items, l.Items, run));
            case ("+", JinjaTuple k, JinjaTuple l): return new JinjaTuple(Joined(k.Items, l.Items, run));
            case ("*", string or JinjaList or JinjaTuple, long or bool): return Repeat(a, Python.Index(b), run);
            case ("*", long or bool, string or JinjaList or JinjaTuple): return Repeat(b, Python.Index(a), run);
            case ("*", string or JinjaList or JinjaTuple, BigInteger) or ("*", BigInteger,
                string or JinjaList or JinjaTuple): throw new JinjaError("cannot fit 'int' into an index-sized integer");
            case ("*", string or JinjaList or JinjaTuple,
                _): throw new JinjaError($"can't multiply sequence by non-int of type '{Python.TypeName(b)}'");
            case ("*", _, string or JinjaList or JinjaTuple): throw new JinjaError(
                $"can't multiply sequence by non-int of type '{Python.TypeName(a)}'");
            case ("+", string, _): throw new JinjaError($"can only concatenate str (not \"{Python.TypeName(b)}\") to str");
            case ("+", JinjaList or JinjaTuple,
                _): throw new JinjaError($"can only concatenate {Python.TypeName(a)} (not \"{Python.TypeName(b)}\") to {Python.TypeName(a)}");
            default: throw new JinjaError(
                $"unsupported operand type(s) for {(op == "**" ? "** or pow()" : op)}: '{Python.TypeName(a)}' and '{Python.TypeName(b)}'");
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

    // The ints of everyday, without the detour over big ones.
    private static bool TryFast(string op, long a, long b, out object? value)
    {
        long result = 0;
        var fits = op switch
        {
            "+" => !(result = unchecked(a + b), ((a ^ result) & (b ^ result)) < 0).Item2,
            "-" => !(result = unchecked(a - b), ((a ^ b) & (a ^ result)) < 0).Item2,
            "*" => Math.BigMul(a, b, out result) is var high && high == result >> 63,
            _ => false,
        };
        value = fits ? result : null;
        return fits;
    }

    private static object Repeat(object sequence, long times, Run run) => sequence switch
    {
        string text => Repeat(text, times, run),
        JinjaList list => new JinjaList(Repeat(list.Items, times, run)),
        _ => new JinjaTuple(Repeat(((JinjaTuple)sequence).Items, times, run)),
    };

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
