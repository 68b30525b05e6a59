using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's tests: what stands behind `is`.</summary>
internal static class Predicates
{
    private static readonly Dictionary<string, Func<Run, object?, Arguments, bool>> All = new(StringComparer.Ordinal)
    {
        ["boolean"] = (_, v, _) => v is bool,
        ["callable"] = (_, v, _) => v is Callable,
        ["defined"] = (_, v, _) => v is not Undefined,
        ["undefined"] = (_, v, _) => v is Undefined,
        ["divisibleby"] = (run, v, a) => Python.AreEqual(Operators.Apply("%", v, a.Need(0, "num"), run), 0L),
        ["even"] = (run, v, _) => Python.AreEqual(Operators.Apply("%", v, 2L, run), 0L),
        ["odd"] = (run, v, _) => Python.AreEqual(Operators.Apply("%", v, 2L, run), 1L),
        ["escaped"] = (_, _, _) => false,
        ["false"] = (_, v, _) => v is false,
        ["true"] = (_, v, _) => v is true,
        ["filter"] = (_, v, _) => v is string name && Filters.Find(name) is not null,
        ["test"] = (_, v, _) => v is string name && Find(name) is not null,
        ["float"] = (_, v, _) => v is double,
        ["integer"] = (_, v, _) => v is long or BigInteger,
        ["number"] = (_, v, _) => v is bool or long or BigInteger or double,
        ["iterable"] = (_, v, _) => v is string or JinjaList or JinjaTuple or JinjaDict or JinjaGenerator or JinjaRange or Undefined,
        ["sequence"] = (_, v, _) => v is string or JinjaList or JinjaTuple or JinjaDict or JinjaRange or Undefined,
        ["mapping"] = (_, v, _) => v is JinjaDict,
        ["none"] = (_, v, _) => v is null,
        ["string"] = (_, v, _) => v is string,
        ["lower"] = (_, v, _) => Python.Str(v) is var s && s.Any(char.IsLower) && !s.Any(char.IsUpper),
        ["upper"] = (_, v, _) => Python.Str(v) is var s && s.Any(char.IsUpper) && !s.Any(char.IsLower),
        ["sameas"] = (_, v, a) => Same(v, a.Need(0, "other")),
        ["in"] = (_, v, a) => Python.Contains(a.Need(0, "seq"), v),
        ["eq"] = Compare("=="), ["equalto"] = Compare("=="), ["=="] = Compare("=="),
        ["ne"] = Compare("!="), ["!="] = Compare("!="),
        ["lt"] = Compare("<"), ["lessthan"] = Compare("<"), ["<"] = Compare("<"),
        ["le"] = Compare("<="), ["<="] = Compare("<="),
        ["gt"] = Compare(">"), ["greaterthan"] = Compare(">"), [">"] = Compare(">"),
        ["ge"] = Compare(">="), [">="] = Compare(">="),
    };

    /// <summary>A test by name; null where there is none.</summary>
    public static Func<Run, object?, Arguments, bool>? Find(string name) => All.GetValueOrDefault(name);

    private static Func<Run, object?, Arguments, bool> Compare(string op) => (_, value, a) => Operators.Holds(op, value, a.Need(0, "other"));

    // Identity in Python: constants are one object, small values behave as if they were.
    private static bool Same(object? a, object? b) => (a, b) switch
    {
        (null, null) => true,
        (bool x, bool y) => x == y,
        (long x, long y) => x == y,
        (string x, string y) => x == y,
        _ => ReferenceEquals(a, b),
    };
}
