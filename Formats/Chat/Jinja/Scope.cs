namespace Quilt.Formats.Chat.Jinja;

/// <summary>
/// Names and their values; what is not here may be in the scope around it. Few names are searched one by one, as a turn of a loop has only a handful.
/// </summary>
internal sealed class Scope(Scope? parent)
{
    private const int Few = 8;
    private readonly Scope? parent = parent;
    private string[] names = [];
    private object?[] values = [];
    private Dictionary<string, object?>? many;
    private int count;

    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.parent)
        {
            if (scope.many is { } all)
            {
                if (all.TryGetValue(name, out value)) return true;
            }
            else if (scope.Find(name) is >= 0 and var at)
            {
                value = scope.values[at];
                return true;
            }
        }
        value = null;
        return false;
    }

    public object? this[string name]
    {
        set
        {
            if (many is not null) many[name] = value;
            else if (Find(name) is >= 0 and var at) values[at] = value;
            else Add(name, value);
        }
    }

    // Names of one template are mostly the same objects, so that no characters are compared.
    private int Find(string name)
    {
        for (var i = 0; i < count; i++)
        {
            if (ReferenceEquals(names[i], name)) return i;
        }
        for (var i = 0; i < count; i++)
        {
            if (names[i] == name) return i;
        }
        return -1;
    }

    private void Add(string name, object? value)
    {
        if (count == Few)
        {
            many = new Dictionary<string, object?>(StringComparer.Ordinal);
            for (var i = 0; i < count; i++) many.Add(names[i], values[i]);
            many.Add(name, value);
            return;
        }
        if (count == names.Length)
        {
            Array.Resize(ref names, count == 0 ? 2 : Few);
            Array.Resize(ref values, names.Length);
        }
        (names[count], values[count]) = (name, value);
        count++;
    }
}
