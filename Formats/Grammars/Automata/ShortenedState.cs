namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// A state without what a few bytes cannot reach: callers of callers are unknown, and high bounds of repeats are none.
/// </summary>
/// <param name="State">The state.</param>
/// <param name="Exact">Up to how many bytes a continuation is possible here if and only if it is possible in the state itself, but where a call
/// ends whose caller is unknown.</param>
internal readonly record struct ShortenedState(ParserState State, int Exact);

/// <summary>Shortens states. Not for several threads at a time.</summary>
internal sealed class Shortening(ExpressionTable table, StateBuilder builder)
{
    private const int Callers = 2;
    private const int LeastCount = 16;
    private readonly Dictionary<(Continuation, int), Continuation> shortened = [];

    /// <summary>Forgets what was shortened.</summary>
    public void Clear() => shortened.Clear();

    public ShortenedState Shorten(ParserState state)
    {
        var exact = int.MaxValue;
        var changed = false;
        foreach (var (rest, target) in state.Items)
        {
            var (brief, cut) = (Bound(rest, ref exact), Cut(target, Callers));
            changed |= brief != rest || cut != target;
            builder.AddAsIs(brief, cut);
        }
        if (!changed)
        {
            builder.Drop();
            return new(state, int.MaxValue);
        }
        builder.SetEnds(state.IsComplete, state.IsOpen);
        return new(builder.Build(), exact);
    }

    private Expression Bound(Expression rest, ref int exact)
    {
        if (rest.Kind == ExpressionKind.Repeat) return BoundRepeat(rest, ref exact);
        if (rest.Kind != ExpressionKind.Sequence) return rest;
        var head = rest.First.Kind == ExpressionKind.Repeat ? BoundRepeat(rest.First, ref exact) : rest.First;
        // What stands behind a part that must come is the same in many states already.
        var tail = rest.First.IsNullable || head != rest.First ? Bound(rest.Second, ref exact) : rest.Second;
        return head == rest.First && tail == rest.Second ? rest : table.Sequence(head, tail);
    }

    private Expression BoundRepeat(Expression repeat, ref int exact)
    {
        if (repeat.Most < LeastCount || repeat.First.IsNullable) return repeat;
        exact = Math.Min(exact, repeat.Most);
        return table.Repeat(repeat.First, repeat.Least, -1);
    }

    private Continuation Cut(Continuation target, int depth)
    {
        if (target == builder.Bottom || target == builder.Unknown) return target;
        if (depth == 0) return builder.Unknown;
        if (shortened.TryGetValue((target, depth), out var known)) return known;
        var items = new List<StateItem>(target.Items.Length);
        foreach (var (rest, next) in target.Items) items.Add(new(rest, Cut(next, depth - 1)));
        return shortened[(target, depth)] = builder.Continue(items);
    }
}
