namespace Quilt.Formats.Chat.Jinja;

/// <summary>The filters map, select, reject, selectattr, rejectattr: another filter or test on every element.</summary>
internal static class Selection
{
    public static object? Map(Run run, object? value, Arguments a)
    {
        if (!Python.IsTrue(value)) return new JinjaGenerator([]);
        if (a.Positional.Count == 0)
        {
            if (!a.TryGet(-1, "attribute", out var attribute)) throw new JinjaError("map requires a filter argument");
            foreach (var (unknown, _) in a.Named)
            {
                if (unknown is not ("attribute" or "default")) throw new JinjaError($"Unexpected keyword argument '{unknown}'");
            }
            var otherwise = a.Get(-1, "default", null);
            return new JinjaGenerator([.. Items(run, value).Select(SequenceFilters.Getter(attribute, otherwise, otherwise is not null))]);
        }
        var name = Python.Str(a.Positional[0]);
        var items = Items(run, value);
        var filter = Filters.Find(name) ?? throw new JinjaError($"No filter named '{name}'.");
        return new JinjaGenerator([.. items.Select(item => Filters.Apply(filter, name, run, item, new Arguments(name, a.Positional[1..], a.Named)))]);
    }

    public static object? Select(Run run, object? value, Arguments a, bool keep, bool byAttribute)
    {
        if (!Python.IsTrue(value)) return new JinjaGenerator([]);
        if (byAttribute && a.Positional.Count == 0) throw new JinjaError("Missing parameter for attribute name");
        var get = byAttribute ? SequenceFilters.Getter(a.Positional[0]) : item => item;
        var rest = a.Positional.Skip(byAttribute ? 1 : 0).ToList();
        if (rest.Count == 0) return new JinjaGenerator([.. Items(run, value).Where(item => Python.IsTrue(get(item)) == keep)]);
        var name = Python.Str(rest[0]);
        var items = Items(run, value);
        var test = Predicates.Find(name) ?? throw new JinjaError($"No test named '{name}'.");
        var arguments = new Arguments(name, rest[1..], a.Named);
        return new JinjaGenerator([.. items.Where(item =>
        {
            var its = get(item);
            run.SpendOn(its);
            return test(run, its, arguments) == keep;
        })]);
    }

    private static IReadOnlyList<object?> Items(Run run, object? value) => SequenceFilters.Spent(run, Python.Iterate(value));
}
