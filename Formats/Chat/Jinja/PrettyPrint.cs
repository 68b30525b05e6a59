namespace Quilt.Formats.Chat.Jinja;

/// <summary>The filter pprint: repr with the keys of dicts sorted. What Python would break over several lines is refused.</summary>
internal static class PrettyPrint
{
    private const int Width = 80;

    public static string Apply(object? value)
    {
        var text = Python.Repr(Sorted(value, 0));
        return text.Length <= Width ? text : throw new JinjaError($"pprint of more than {Width} characters is not supported");
    }

    private static object? Sorted(object? value, int depth)
    {
        if (depth > 100) throw new JinjaError("maximum recursion depth exceeded");
        Run.Step();
        switch (value)
        {
            case JinjaList list: return new JinjaList([.. list.Items.Select(item => Sorted(item, depth + 1))]);
            case JinjaTuple tuple: return new JinjaTuple([.. tuple.Items.Select(item => Sorted(item, depth + 1))]);
            case JinjaDict dict:
                var sorted = new JinjaDict();
                foreach (var (key, its) in Sorting.Stable(dict.Entries, p => p.Key, reverse: false)) sorted.Set(key, Sorted(its, depth + 1));
                return sorted;
            default: return value;
        }
    }
}
