using System.Globalization;
using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Python's ideas of truth, equality, order, types and text.</summary>
internal static class Python
{
    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        Undefined u => u.As(false),
        bool b => b,
        long n => n != 0,
        BigInteger n => !n.IsZero,
        double d => d != 0,
        string s => s.Length > 0,
        JinjaMarkup safe => safe.Text.Length > 0,
        JinjaList list => list.Items.Count > 0,
        JinjaTuple tuple => tuple.Items.Count > 0,
        JinjaDict dict => dict.Count > 0,
        JinjaRange range => range.Count > 0,
        JinjaView view => view.Items.Count > 0,
        LoopState loop => loop.Length > 0,
        _ => true,
    };

    public static bool AreEqual(object? a, object? b)
    {
        if (a is string left && b is string right) return EqualText(left, right);
        if (a is long m1 && b is long m2) return m1 == m2;
        if (TryNumber(a, out var x) && TryNumber(b, out var y)) return x.CompareTo(y) == 0;
        return (a, b) switch
        {
            (null, null) => true,
            (Undefined u, _) => u.As(b is Undefined),
            (_, Undefined u) => u.As(false),
            (JinjaMarkup safe, _) => AreEqual(safe.Text, b),
            (_, JinjaMarkup safe) => AreEqual(a, safe.Text),
            (JinjaList l, JinjaList m) => Same(l.Items, m.Items),
            (JinjaTuple l, JinjaTuple m) => Same(l.Items, m.Items),
            (JinjaDict d, JinjaDict e) => SameEntries(d, e),
            (JinjaRange r, JinjaRange s) => Same(r.Items, s.Items),
            _ => ReferenceEquals(a, b),
        };
    }

    private static bool EqualText(string a, string b)
    {
        if (a.Length != b.Length) return false;
        if (a.Length > 64) Run.Step(a);
        return a == b;
    }

    public static int Hash(object? value) => value switch
    {
        null => 1,
        string s => HashText(s),
        JinjaTuple tuple => HashAll(tuple.Items),
        _ when TryNumber(value, out var n) => n.GetHashCode(),
        _ => 3,
    };

    private static int HashText(string s)
    {
        if (s.Length > 64) Run.Step(s);
        return s.GetHashCode(StringComparison.Ordinal);
    }

    private static int HashAll(IReadOnlyList<object?> items)
    {
        Run.Step();
        var hash = new HashCode();
        foreach (var item in items) hash.Add(Hash(item));
        return hash.ToHashCode();
    }

    /// <summary>−1, 0 or 1 for values that have an order; the operator is for the message.</summary>
    public static int Compare(object? a, object? b, string op)
    {
        if (a is long m && b is long n) return m.CompareTo(n);
        if (TryNumber(a, out var x) && TryNumber(b, out var y)) return x.CompareTo(y);
        switch (a, b)
        {
            case (Undefined u, _): throw u.Fail();
            case (_, Undefined u): throw u.Fail();
            case (string s, string t):
                if (s.Length > 64) Run.Step(s);
                return PythonText.Compare(s, t);
            case (JinjaList k, JinjaList l): return Order(k.Items, l.Items, op);
            case (JinjaTuple k, JinjaTuple l): return Order(k.Items, l.Items, op);
            default: throw new JinjaError($"'{op}' not supported between instances of '{TypeName(a)}' and '{TypeName(b)}'");
        }
    }

    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        JinjaList => "list",
        JinjaTuple => "tuple",
        JinjaDict => "dict",
        JinjaRange => "range",
        JinjaGenerator => "generator",
        JinjaView view => view.TypeName,
        JinjaMarkup => "Markup",
        JinjaNamespace space => space.TypeName,
        Undefined => "Undefined",
        LoopState => "LoopContext",
        Callable { Attributes: not null } => "Macro",
        _ => "function",
    };

    /// <summary>What messages about missing attributes call it.</summary>
    public static string TypeForAttribute(object? value) => value switch
    {
        null => "None",
        JinjaNamespace => $"jinja2.utils.{TypeName(value)} object",
        LoopState or Callable { Attributes: not null } => $"jinja2.runtime.{TypeName(value)} object",
        _ => $"{TypeName(value)} object",
    };

    /// <summary>str(value).</summary>
    public static string Str(object? value) => value switch
    {
        string s => s,
        JinjaMarkup safe => safe.Text,
        Undefined u => u.As(""),
        _ => Repr(value),
    };

    /// <summary>repr(value).</summary>
    public static string Repr(object? value)
    {
        var text = new StringBuilder();
        PythonText.Repr(value, text, 0);
        return text.ToString();
    }

    /// <summary>The elements of what can be gone through.</summary>
    public static IReadOnlyList<object?> Iterate(object? value) => value switch
    {
        JinjaList list => list.Items,
        JinjaTuple tuple => tuple.Items,
        JinjaGenerator generator => generator.Items,
        JinjaRange range => Charged(range.Count) ?? range.Items,
        JinjaDict dict => Charged(dict.Count) ?? [.. dict.Entries.Select(p => p.Key)],
        JinjaView view => view.Items,
        string s => Charged(s.Length) ?? [.. PythonText.Characters(s)],
        Undefined u => u.As<IReadOnlyList<object?>>([]),
        _ => throw new JinjaError($"'{TypeName(value)}' object is not iterable"),
    };

    // Elements that are made for the occasion are paid for.
    private static IReadOnlyList<object?>? Charged(int count)
    {
        Run.Charge(32L * count);
        return null;
    }

    /// <summary>len(value).</summary>
    public static long Length(object? value) => value switch
    {
        string s => PythonText.Length(s),
        JinjaList list => list.Items.Count,
        JinjaTuple tuple => tuple.Items.Count,
        JinjaDict dict => dict.Count,
        JinjaRange range => range.Count,
        JinjaView view => view.Items.Count,
        LoopState loop => loop.Length,
        Undefined u => u.As(0),
        _ => throw new JinjaError($"object of type '{TypeName(value)}' has no len()"),
    };

    public static bool Contains(object? container, object? item)
    {
        if (container is not JinjaDict) Run.Step(container);
        switch (container)
        {
            case string s:
                return item is string part ? s.Contains(part, StringComparison.Ordinal)
                    : throw new JinjaError($"'in <string>' requires string as left operand, not {TypeName(item)}");
            case JinjaDict dict:
                return dict.TryGet(item, out _);
            case null or bool or long or BigInteger or double or Callable or JinjaNamespace:
                throw new JinjaError($"argument of type '{TypeName(container)}' is not iterable");
            default:
                foreach (var other in Iterate(container))
                {
                    if (AreEqual(other, item)) return true;
                }
                return false;
        }
    }

    /// <summary>A whole number where an index is wanted.</summary>
    public static long Index(object? value) => value switch
    {
        long n => n,
        bool b => b ? 1 : 0,
        BigInteger n => n.Sign > 0 ? long.MaxValue : long.MinValue,
        Undefined u => throw u.Fail(),
        _ => throw new JinjaError($"'{TypeName(value)}' object cannot be interpreted as an integer"),
    };

    public static bool TryNumber(object? value, out Number number)
    {
        switch (value)
        {
            case bool b: number = new Number(b ? BigInteger.One : BigInteger.Zero); return true;
            case long n: number = new Number((BigInteger)n); return true;
            case BigInteger n: number = new Number(n); return true;
            case double d: number = new Number(d); return true;
            default: number = default; return false;
        }
    }

    private static bool Same(IReadOnlyList<object?> a, IReadOnlyList<object?> b)
    {
        Run.Step();
        if (a.Count != b.Count) return false;
        for (var i = 0; i < a.Count; i++)
        {
            Run.Step();
            if (!AreEqual(a[i], b[i])) return false;
        }
        return true;
    }

    private static bool SameEntries(JinjaDict a, JinjaDict b)
    {
        Run.Step();
        return a.Count == b.Count && a.Entries.All(p => b.TryGet(p.Key, out var other) && AreEqual(p.Value, other));
    }

    private static int Order(IReadOnlyList<object?> a, IReadOnlyList<object?> b, string op)
    {
        Run.Step();
        for (var i = 0; i < a.Count && i < b.Count; i++)
        {
            if (!AreEqual(a[i], b[i])) return Compare(a[i], b[i], op);
        }
        return a.Count.CompareTo(b.Count);
    }
}
