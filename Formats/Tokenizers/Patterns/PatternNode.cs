using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>How a repeat chooses its length: as much as possible, as little as possible, or as much as possible for good.</summary>
internal enum Greed { Greedy, Lazy, Possessive }

/// <summary>Places without width.</summary>
internal enum Anchor { TextStart, TextEnd, TextEndOrLastNewline, LineStart, LineEnd, WordBoundary, NoWordBoundary }

/// <summary>A parsed regular expression.</summary>
internal abstract record PatternNode
{
    /// <summary>What the node can begin with, and whether it can match nothing. The set may be too large, never too small.</summary>
    public abstract (CodePointSet Set, bool Nullable) First { get; }

    /// <summary>Whether the node matches at every place, if only nothing.</summary>
    public virtual bool NeverFails => false;
}

/// <summary>One code point of a set.</summary>
internal sealed record SetNode(CodePointSet Set) : PatternNode
{
    public override (CodePointSet, bool) First => (Set, false);
}

/// <summary>One after another.</summary>
internal sealed record SequenceNode(IReadOnlyList<PatternNode> Items) : PatternNode
{
    public override (CodePointSet, bool) First => FirstOf(0);

    public override bool NeverFails => NeverFailsFrom(0);

    public (CodePointSet Set, bool Nullable) FirstOf(int from)
    {
        var set = CodePointSet.Empty;
        for (var i = from; i < Items.Count; i++)
        {
            var (first, nullable) = Items[i].First;
            set = set.Union(first);
            if (!nullable) return (set, false);
        }
        return (set, true);
    }

    public bool NeverFailsFrom(int from) => Items.Skip(from).All(item => item.NeverFails);
}

/// <summary>The first of several that leads to a match.</summary>
internal sealed record AlternationNode(IReadOnlyList<PatternNode> Choices) : PatternNode
{
    public override (CodePointSet, bool) First
    {
        get
        {
            var firsts = Choices.Select(choice => choice.First).ToList();
            return (CodePointSet.Of(firsts.SelectMany(first => first.Set.Ranges.ToArray())), firsts.Any(first => first.Nullable));
        }
    }
}

/// <summary>Several times; <paramref name="Max"/> is <see cref="Unbounded"/> where there is no limit.</summary>
internal sealed record RepeatNode(PatternNode Body, int Min, int Max, Greed Greed) : PatternNode
{
    public const int Unbounded = int.MaxValue;

    public override (CodePointSet, bool) First => (Body.First.Set, Min == 0 || Body.First.Nullable);

    public override bool NeverFails => Min == 0;
}

/// <summary>Looks ahead or behind without moving. A body that looks behind has the one length <paramref name="Behind"/>, in code points.</summary>
internal sealed record LookNode(PatternNode Body, int Behind, bool Negative) : PatternNode
{
    public const int Ahead = -1;

    public override (CodePointSet, bool) First => (CodePointSet.Empty, true);
}

/// <summary>A group that, once matched, is not tried in another way.</summary>
internal sealed record AtomicNode(PatternNode Body) : PatternNode
{
    public override (CodePointSet, bool) First => Body.First;

    public override bool NeverFails => Body.NeverFails;
}

/// <summary>A place without width.</summary>
internal sealed record AnchorNode(Anchor Kind) : PatternNode
{
    public override (CodePointSet, bool) First => (CodePointSet.Empty, true);
}
