using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's tests: what stands behind `is`.</summary>
internal static class Predicates
{
    private static readonly Dictionary<string, Func<Run, object?, Arguments, bool>> All = new(StringComparer.Ordinal)
    {
        ["boolean"] = (_, v, _) => v is bool,
        ["callable"] = (_, v, _) => v is Callable or Undefined or LoopState,
        ["defined"] = (_, v, _) => v is not Undefined,
        ["undefined"] = (_, v, _) => v is Undefined,
        ["divisibleby"] = (run, v, a) => Python.AreEqual(Operators.Apply("%", v, Need(a, "test_divisibleby", "num"), run), 0L),
        ["even"] = (run, v, _) => Python.AreEqual(Operators.Apply("%", v, 2L, run), 0L),
        ["odd"] = (run, v, _) => Python.AreEqual(Operators.Apply("%", v, 2L, run), 1L),
        ["escaped"] = (_, v, _) => v is JinjaMarkup,
        ["false"] = (_, v, _) => v is false,
        ["true"] = (_, v, _) => v is true,
        ["filter"] = (_, v, _) => Name(v) is { } name && Filters.Find(name) is not null,
        ["test"] = (_, v, _) => Name(v) is { } name && Find(name) is not null,
        ["float"] = (_, v, _) => v is double,
        ["integer"] = (_, v, _) => v is long or BigInteger,
        ["number"] = (_, v, _) => v is bool or long or BigInteger or double,
        ["iterable"] = (_, v, _) =>
            v is string or JinjaList or JinjaTuple or JinjaDict or JinjaGenerator or JinjaRange or JinjaView or LoopState or Undefined,
        ["sequence"] = (_, v, _) => v is string or JinjaList or JinjaTuple or JinjaDict or JinjaRange or Undefined,
        ["mapping"] = (_, v, _) => v is JinjaDict,
        ["none"] = (_, v, _) => v is null,
        ["string"] = (_, v, _) => v is string,
        ["lower"] = (_, v, _) => StringCase.Is(Python.Str(v), upper: false),
        ["upper"] = (_, v, _) => StringCase.Is(Python.Str(v), upper: true),
        ["sameas"] = (_, v, a) => Same(v, Need(a, "test_sameas", "other")),
        ["in"] = (_, v, a) => Python.Contains(Need(a, "test_in", "seq"), v),
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

    private static object? Need(Arguments a, string function, string name) =>
        a.TryGet(0, name, out var value) ? value : throw new JinjaError($"{function}() missing 1 required positional argument: '{name}'");

    private static string? Name(object? value) =>
        value is JinjaList or JinjaDict ? throw new JinjaError($"unhashable type: '{Python.TypeName(value)}'") : value as string;

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
