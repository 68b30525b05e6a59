namespace Quilt.Formats.Chat.Jinja;

/// <summary>
/// Filters and tests of a template that do not exist. As in Jinja they are forgiven inside an if, where they may never be reached (a template asks
/// for a newer version that way), unless a loop or a macro inside it makes a scope of its own.
/// </summary>
internal sealed class UnknownNames
{
    private readonly List<(int Line, string Problem, bool IsForgivable)> all = [];

    /// <summary>How many there are: a place to come back to.</summary>
    public int Mark => all.Count;

    public void Add(int line, string problem) => all.Add((line, problem, true));

    /// <summary>Everything since a mark stood inside an if.</summary>
    public void Forgive(int mark)
    {
        for (var i = all.Count - 1; i >= mark; i--)
        {
            if (all[i].IsForgivable) all.RemoveAt(i);
        }
    }

    /// <summary>Everything since a mark stood in a scope of its own.</summary>
    public void Keep(int mark)
    {
        for (var i = mark; i < all.Count; i++) all[i] = all[i] with { IsForgivable = false };
    }

    /// <exception cref="JinjaException">One is left; the first is named.</exception>
    public void Check(TokenReader tokens)
    {
        if (all.Count > 0) throw tokens.Error(all[0].Line, all[0].Problem);
    }
}
