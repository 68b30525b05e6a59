namespace Quilt.Formats.Chat.Jinja;

/// <summary>A function of a template: a macro, a global, or a method bound to its value.</summary>
internal sealed class Callable(string name, Func<Run, Arguments, object?> body)
{
    public string Name { get; } = name;

    public Dictionary<string, object?>? Attributes { get; init; }

    public object? Call(Run run, Arguments arguments) => body(run, arguments);
}

/// <summary>What a call passes: values by place and by name, taken out by the one who is called.</summary>
internal sealed class Arguments(string function, List<object?> positional, List<KeyValuePair<string, object?>> named)
{
    public List<object?> Positional { get; } = positional;

    public List<KeyValuePair<string, object?>> Named { get; } = named;

    /// <summary>The argument at a place or of a name; false if it was not passed.</summary>
    public bool TryGet(int place, string name, out object? value)
    {
        value = null;
        if (place >= 0 && place < Positional.Count)
        {
            value = Positional[place];
            return true;
        }
        foreach (var pair in Named)
        {
            if (pair.Key != name) continue;
            value = pair.Value;
            return true;
        }
        return false;
    }

    public object? Get(int place, string name, object? otherwise) => TryGet(place, name, out var value) ? value : otherwise;

    public object? Need(int place, string name) =>
        TryGet(place, name, out var value) ? value : throw new JinjaError($"{function}() missing required argument '{name}'");

    public long Whole(int place, string name, long otherwise) =>
        TryGet(place, name, out var value) && value is not null ? Python.Index(value) : otherwise;

    public string Text(int place, string name, string otherwise) =>
        TryGet(place, name, out var value) && value is not null ? Python.Str(value) : otherwise;

    public bool Flag(int place, string name, bool otherwise) => TryGet(place, name, out var value) ? Python.IsTrue(value) : otherwise;

    /// <summary>Refuses more than was asked for.</summary>
    public Arguments AtMost(int count, params ReadOnlySpan<string> names)
    {
        if (Positional.Count > count) throw new JinjaError($"{function}() takes at most {count} arguments ({Positional.Count} given)");
        foreach (var pair in Named)
        {
            if (!names.Contains(pair.Key)) throw new JinjaError($"{function}() got an unexpected keyword argument '{pair.Key}'");
        }
        return this;
    }
}
