namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// Drops ways to go on that differ from another one only in how often something may still be repeated, and allow nothing that the other does not.
/// Without it, counts inside of counts would make states grow with the square of the text.
/// </summary>
internal sealed class CountDominance
{
    private const int Depth = 3;
    private readonly Dictionary<(int, int, int, int, int), List<StateItem>> groups = [];

    public StateItem[] Reduce(StateItem[] items)
    {
        if (items.Length < 2) return items;
        groups.Clear();
        var kept = new List<StateItem>(items.Length);
        foreach (var item in items)
        {
            if (Key(item) is not { } key) kept.Add(item);
            else if (groups.TryGetValue(key, out var group)) group.Add(item);
            else groups[key] = [item];
        }
        if (kept.Count == items.Length || groups.Count + kept.Count == items.Length) return items;
        foreach (var group in groups.Values)
        {
            var best = new List<StateItem>();
            foreach (var item in group)
            {
                if (best.Exists(other => Covers(other.Rest, item.Rest))) continue;
                best.RemoveAll(other => Covers(item.Rest, other.Rest));
                best.Add(item);
            }
            kept.AddRange(best);
        }
        return [.. kept];
    }

    // What is repeated in the first parts, what comes behind them, and where that returns to.
    private static (int, int, int, int, int)? Key(StateItem item)
    {
        Span<int> repeated = [-1, -1, -1];
        var (count, rest) = (0, item.Rest);
        while (count < Depth && rest is not null && Leading(rest) is { } repeat)
        {
            repeated[count++] = repeat.First.Id;
            rest = Behind(rest);
        }
        return count == 0 ? null : (repeated[0], repeated[1], repeated[2], rest?.Id ?? -1, item.Return.Id);
    }

    private static bool Covers(Expression wide, Expression narrow)
    {
        var (one, other) = (wide, narrow);
        for (var i = 0; i < Depth && one is not null && other is not null && Leading(one) is { } loose && Leading(other) is { } tight; i++)
        {
            if (loose.Least > tight.Least || loose.Most >= 0 && (tight.Most < 0 || tight.Most > loose.Most)) return false;
            (one, other) = (Behind(one), Behind(other));
        }
        return true;
    }

    private static Expression? Leading(Expression rest) => rest.Kind switch
    {
        ExpressionKind.Repeat => rest,
        ExpressionKind.Sequence when rest.First.Kind == ExpressionKind.Repeat => rest.First,
        _ => null,
    };

    private static Expression? Behind(Expression rest) => rest.Kind == ExpressionKind.Sequence ? rest.Second : null;
}
