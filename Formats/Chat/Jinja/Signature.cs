namespace Quilt.Formats.Chat.Jinja;

/// <summary>What a function takes, and Python's complaints where it is called otherwise.</summary>
internal sealed class Signature
{
    private readonly string[] names;
    private readonly int required;

    /// <param name="parameters">Names in their order, "name=" where it may be left out.</param>
    public Signature(string parameters)
    {
        var parts = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        names = [.. parts.Select(part => part.TrimEnd('='))];
        required = parts.Count(part => !part.EndsWith('='));
    }

    /// <exception cref="JinjaError">Too many arguments, too few, or one of an unknown name. The value a filter is applied to counts as
    /// one.</exception>
    public void Check(string function, Arguments arguments)
    {
        foreach (var (name, _) in arguments.Named)
        {
            var at = Array.IndexOf(names, name);
            if (at < 0) throw new JinjaError($"{function}() got an unexpected keyword argument '{name}'");
            if (at < arguments.Positional.Count) throw new JinjaError($"{function}() got multiple values for argument '{name}'");
        }
        var (given, most) = (arguments.Positional.Count + 1, names.Length + 1);
        if (given > most)
        {
            throw new JinjaError(required == names.Length
                ? $"{function}() takes {most} positional argument{(most == 1 ? "" : "s")} but {given} were given"
                : $"{function}() takes from {required + 1} to {most} positional arguments but {given} were given");
        }
        var missing = names.Take(required).Where((name, i) => !arguments.TryGet(i, name, out _)).Select(name => $"'{name}'").ToList();
        if (missing.Count > 0)
            throw new JinjaError(
                $"{function}() missing {missing.Count} required positional argument{(missing.Count == 1 ? "" : "s")}: " +
                $"{string.Join(" and ", missing)}");
    }
}
