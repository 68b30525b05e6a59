namespace Quilt.Formats.Grammars.Automata;

/// <summary>Where a rule was called from: what follows it there, and where that returns to in turn. Equal ones are one object.</summary>
internal sealed class Continuation(int id, StateItem[] items)
{
    public int Id { get; } = id;

    /// <summary>By ascending ids.</summary>
    public StateItem[] Items { get; } = items;
}

/// <summary>One way to go on: what is left of a rule, and where it returns to.</summary>
internal readonly record struct StateItem(Expression Rest, Continuation Return) : IComparable<StateItem>
{
    public int CompareTo(StateItem other)
    {
        var order = Rest.Id.CompareTo(other.Rest.Id);
        return order != 0 ? order : Return.Id.CompareTo(other.Return.Id);
    }
}

/// <summary>A first part that can come next, what follows it in its rule, and where the rule returns to.</summary>
internal readonly record struct StateStep(Expression Head, Expression Tail, Continuation Return);

/// <summary>All ways to go on after some text. Equal ones are one object; what follows is found when it is first asked for.</summary>
internal sealed class ParserState(StateItem[] items, bool isComplete, bool isOpen)
{
    private StateSteps? steps;

    /// <summary>By ascending ids; none that is used up.</summary>
    public StateItem[] Items { get; } = items;

    /// <summary>Whether the text may end here.</summary>
    public bool IsComplete { get; } = isComplete;

    /// <summary>Whether a call has ended whose caller is not known: of shortened states only.</summary>
    public bool IsOpen { get; } = isOpen;

    /// <summary>What can come next, once it was found out.</summary>
    public StateSteps? Steps
    {
        get => Volatile.Read(ref steps);
        set => Volatile.Write(ref steps, value);
    }
}

/// <summary>What can come next in a state.</summary>
internal sealed class StateSteps(StateStep[] all, ulong[] live, int symbols, Expression? run)
{
    private readonly ParserState?[] next = new ParserState?[symbols];

    /// <summary>First parts.</summary>
    public StateStep[] All { get; } = all;

    /// <summary>Which bytes can come next: bit b of 256.</summary>
    public ulong[] Live { get; } = live;

    /// <summary>
    /// A counted repeat of single bytes that comes first, where nothing else can begin with one of them and it may come no time at all: a run of them
    /// changes nothing but the count, and behind the run what comes next is the same as here.
    /// </summary>
    public Expression? Run { get; } = run;

    /// <summary>The state with this run without an end, once it was asked for.</summary>
    public ParserState? Loose { get; set; }

    /// <summary>The state behind a symbol, a class of bytes or a special token; null until it was found out.</summary>
    public ParserState? this[int symbol]
    {
        get => Volatile.Read(ref next[symbol]);
        set => Volatile.Write(ref next[symbol], value);
    }

    /// <summary>Whether a byte can come next.</summary>
    public bool Allows(byte value) => (Live[value >> 6] >> (value & 63) & 1) != 0;
}
