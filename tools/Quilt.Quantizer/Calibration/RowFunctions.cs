using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// The functions that templates of a calibration set have besides Jinja's own: len, abs, max, min, sum, sorted, enumerate and zip as in Python, and a
/// hash that is the same in every process.
/// </summary>
internal static class RowFunctions
{
    /// <summary>Functions by name, as variables of a template.</summary>
    public static readonly IReadOnlyList<KeyValuePair<string, object?>> All =
    [
        Function("hash", (run, a) => Hash(run, One(a, "hash"))),
        Function("len", (_, a) => Python.Length(One(a, "len"))),
        Function("abs", (_, a) => Abs(One(a, "abs"))),
        Function("max", (run, a) => Extreme(run, a, "max", ">")),
        Function("min", (run, a) => Extreme(run, a, "min", "<")),
        Function("sum", (run, a) => Sum(run, a.AtMost(2, "start"))),
        Function("sorted", (run, a) => Sorted(run, a.AtMost(1, "reverse"))),
        Function("enumerate", (run, a) => Enumerate(run, a.AtMost(2, "start"))),
        Function("zip", (run, a) => Zip(run, a.AtMost(int.MaxValue))),
    ];

    /// <summary>The first 8 bytes of SHA-256 of the text in UTF-8 as a big-endian number, shifted right by one.</summary>
    public static long Hash(string text) =>
        (long)(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) >> 1);

    private static KeyValuePair<string, object?> Function(string name, Func<Run, Arguments, object?> body) =>
        new(name, new Callable(name, body));

    private static object? One(Arguments a, string function)
    {
        if (a.Named.Count > 0) throw new JinjaError($"{function}() takes no keyword arguments");
        return a.Positional.Count == 1
            ? a.Positional[0]
            : throw new JinjaError($"{function}() takes exactly one argument ({a.Positional.Count} given)");
    }

    // Of what is no text the hash is that of its str().
    private static object Hash(Run run, object? value)
    {
        if (value is JinjaList or JinjaDict) throw new JinjaError($"unhashable type: '{Python.TypeName(value)}'");
        var text = Python.Str(value);
        run.SpendText(text.Length);
        return Hash(text);
    }

    private static object Abs(object? value) => Python.TryNumber(value, out var number)
        ? number.Abs().Box()
        : throw new JinjaError($"bad operand type for abs(): '{Python.TypeName(value)}'");

    private static object? Extreme(Run run, Arguments a, string function, string op)
    {
        if (a.Positional.Count == 0) throw new JinjaError($"{function} expected at least 1 argument, got 0");
        a.AtMost(int.MaxValue, "default");
        var several = a.Positional.Count > 1;
        if (several && a.Named.Count > 0) throw new JinjaError($"Cannot specify a default for {function}() with multiple positional arguments");
        var items = SequenceFilters.Spent(run, several ? a.Positional : Python.Iterate(a.Positional[0]));
        if (items.Count == 0)
            return a.TryGet(-1, "default", out var otherwise) ? otherwise : throw new JinjaError($"{function}() arg is an empty sequence");
        var best = items[0];
        foreach (var item in items.Skip(1))
        {
            if (Operators.Holds(op, item, best)) best = item;
        }
        return best;
    }

    private static object? Sum(Run run, Arguments a)
    {
        var total = a.Get(1, "start", 0L);
        if (total is string) throw new JinjaError("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (var item in SequenceFilters.Spent(run, Python.Iterate(a.Need(0, "iterable")))) total = Operators.Apply("+", total, item, run);
        return total;
    }

    private static JinjaList Sorted(Run run, Arguments a)
    {
        var items = SequenceFilters.Spent(run, Python.Iterate(a.Need(0, "iterable")));
        return new JinjaList([.. Sorting.Stable(items, item => item, a.Flag(-1, "reverse", false))]);
    }

    private static JinjaGenerator Enumerate(Run run, Arguments a)
    {
        var start = a.Whole(1, "start", 0);
        var items = SequenceFilters.Spent(run, Python.Iterate(a.Need(0, "iterable")));
        return new JinjaGenerator([.. items.Select((item, i) => (object?)new JinjaTuple([start + i, item]))]);
    }

    private static JinjaGenerator Zip(Run run, Arguments a)
    {
        var columns = a.Positional.ConvertAll(column => SequenceFilters.Spent(run, Python.Iterate(column)));
        var rows = columns.Count == 0 ? 0 : columns.Min(column => column.Count);
        return new JinjaGenerator([.. Enumerable.Range(0, rows).Select(i => (object?)new JinjaTuple([.. columns.Select(column => column[i])]))]);
    }
}
