using System.Diagnostics.CodeAnalysis;

namespace Quilt.Formats.Grammars.Automata;

/// <summary>Collects the ways to go on behind a symbol and makes a state of them. Not for several threads at a time.</summary>
internal sealed class StateBuilder
{
    private readonly Dictionary<StateItem[], Continuation> continuations = new(new ItemsComparer());
    // By whether the text may end, and whether a caller is unknown.
    private readonly Dictionary<StateItem[], ParserState>[] states =
        [new(new ItemsComparer()), new(new ItemsComparer()), new(new ItemsComparer()), new(new ItemsComparer())];
    private readonly HashSet<StateItem> items = [];
    private readonly HashSet<Continuation> returned = [];
    private readonly Stack<StateItem> pending = [];
    private readonly CountDominance dominance = new();
    private bool isComplete;
    private bool isOpen;
    private int nextId = 2;

    /// <summary>Where the whole text returns to.</summary>
    public Continuation Bottom { get; } = new(0, []);

    /// <summary>Stands for callers that a shortened state leaves out.</summary>
    public Continuation Unknown { get; } = new(1, []);

    /// <summary>Roughly how many items are remembered.</summary>
    public long Remembered { get; private set; }

    /// <summary>Forgets all states, what follows them, and continuations; whoever holds one can go on with it.</summary>
    public void Clear()
    {
        continuations.Clear();
        foreach (var kind in states)
        {
            foreach (var state in kind.Values) state.Steps = null;
            kind.Clear();
        }
        Remembered = 0;
    }

    /// <summary>The continuation of some items.</summary>
    public Continuation Continue(List<StateItem> callers)
    {
        callers.Sort();
        StateItem[] distinct = callers.Count == 1 ? [callers[0]] : [.. callers.Distinct()];
        if (distinct.Length == 1 && distinct[0].Rest.Kind == ExpressionKind.Empty) return distinct[0].Return;
        if (continuations.TryGetValue(distinct, out var found)) return found;
        Remembered += distinct.Length + 4;
        return continuations[distinct] = new(nextId++, distinct);
    }

    /// <summary>Adds a way to go on, and where it is possibly used up already, those behind it.</summary>
    public void Add(Expression rest, Continuation target)
    {
        pending.Push(new(rest, target));
        while (pending.TryPop(out var item))
        {
            if (item.Rest.Kind == ExpressionKind.Never) continue;
            if (item.Rest.Kind != ExpressionKind.Empty && !items.Add(item)) continue;
            if (!item.Rest.IsNullable) continue;
            if (item.Return == Bottom) isComplete = true;
            else if (item.Return == Unknown) isOpen = true;
            else if (returned.Add(item.Return))
                foreach (var next in item.Return.Items) pending.Push(next);
        }
    }

    /// <summary>Adds a way to go on as it is: those behind it are added too where they are possible.</summary>
    public void AddAsIs(Expression rest, Continuation target) => items.Add(new(rest, target));

    /// <summary>Whether the text may end here, and whether a call has ended whose caller is not known.</summary>
    public void SetEnds(bool complete, bool open) => (isComplete, isOpen) = (complete, open);

    /// <summary>Takes back what was added since the last state.</summary>
    public void Drop() => items.Clear();

    /// <summary>The state of what was added since the last one.</summary>
    public ParserState Build()
    {
        var all = items.ToArray();
        all = dominance.Reduce(all);
        Array.Sort(all);
        var kind = states[(isComplete ? 1 : 0) + (isOpen ? 2 : 0)];
        if (!kind.TryGetValue(all, out var state))
        {
            kind[all] = state = new ParserState(all, isComplete, isOpen);
            Remembered += all.Length + 8;
        }
        items.Clear();
        returned.Clear();
        isComplete = isOpen = false;
        return state;
    }

    private sealed class ItemsComparer : IEqualityComparer<StateItem[]>
    {
        public bool Equals(StateItem[]? x, StateItem[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] StateItem[] obj)
        {
            var hash = new HashCode();
            foreach (var item in obj) hash.Add(item.Rest.Id * 31 + item.Return.Id);
            return hash.ToHashCode();
        }
    }
}
