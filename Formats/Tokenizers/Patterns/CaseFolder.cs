using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>
/// What a pattern without regard to case matches beyond its own characters, as Oniguruma has it: "ss" also matches U+00DF, and U+00DF "SS".
/// </summary>
internal static class CaseFolder
{
    private const int Longest = 3;

    /// <summary>One character with its other cases, of which one may be several characters.</summary>
    public static PatternNode Literal(int c)
    {
        var set = new SetNode(CaseMapping.Equivalents(c));
        if (CaseMapping.Expansion(c) is not { } parts) return set;
        return new AlternationNode([set, Join([.. parts.Select(part => new SetNode(CaseMapping.Equivalents(part)))], parts)]);
    }

    /// <summary>A class with the other cases of its characters.</summary>
    /// <exception cref="FormatException">One of them is several characters, so that it would not be a class any more.</exception>
    public static CodePointSet Class(CodePointSet set, bool negative)
    {
        var closed = CaseMapping.Close(set);
        if (!negative && CaseMapping.FirstExpanding(closed) is >= 0 and var c)
            throw new FormatException($"without regard to case, U+{c:X4} in a class also stands for several characters, which is not supported");
        return closed;
    }

    /// <summary>A sequence whose literals, two or three in a row, may also stand for one character.</summary>
    /// <param name="items">The sequence.</param>
    /// <param name="literals">The character that an item is, or -1 where it is something else or case counts.</param>
    public static PatternNode Join(IReadOnlyList<PatternNode> items, IReadOnlyList<int> literals)
    {
        var joined = new List<PatternNode>();
        for (var i = 0; i < items.Count; i++)
        {
            if (Ways(items, literals, i) is not { Count: > 1 } ways)
            {
                joined.Add(items[i]);
                continue;
            }
            joined.Add(new AlternationNode(
                [.. ways.Select(way => new SequenceNode([way.Node, Join([.. items.Skip(i + way.Length)], [.. literals.Skip(i + way.Length)])]))]));
            break;
        }
        return joined.Count == 1 ? joined[0] : new SequenceNode(joined);
    }

    private static List<(PatternNode Node, int Length)> Ways(IReadOnlyList<PatternNode> items, IReadOnlyList<int> literals, int at)
    {
        var ways = new List<(PatternNode, int)> { (items[at], 1) };
        Span<int> run = stackalloc int[Longest];
        for (var length = 1; length <= Longest && at + length <= items.Count && literals[at + length - 1] >= 0; length++)
        {
            run[length - 1] = literals[at + length - 1];
            if (length > 1 && CaseMapping.Singles(run[..length]) is { IsEmpty: false } singles) ways.Add((new SetNode(singles), length));
        }
        return ways;
    }
}
