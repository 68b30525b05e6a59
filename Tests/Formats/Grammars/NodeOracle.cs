using System.Buffers;
using System.Text;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>
/// What the nodes of a grammar mean, said as plainly as can be and without care for speed: where a node's match can end that begins at a place. Rules
/// must not be left-recursive. Special tokens are their text.
/// </summary>
internal sealed class NodeOracle
{
    private readonly byte[] text;
    private readonly GrammarRules grammar;
    private readonly Dictionary<(GrammarNode Node, int Start), SortedSet<int>> known = new(new ByIdentity());

    private NodeOracle(GrammarRules grammar, string text) => (this.grammar, this.text) = (grammar, Encoding.UTF8.GetBytes(text));

    /// <summary>Whether a grammar takes exactly this text.</summary>
    public static bool Accepts(GrammarRules grammar, string text)
    {
        var oracle = new NodeOracle(grammar, text);
        return oracle.Ends(grammar.Root, 0).Contains(oracle.text.Length);
    }

    private SortedSet<int> Ends(GrammarNode node, int start)
    {
        if (node is RuleReference reference) return Ends(grammar.Rules[reference.Name], start);
        if (known.TryGetValue((node, start), out var ends)) return ends;
        ends = node switch
        {
            Literal literal => Literal(literal.Bytes.AsSpan(), start),
            SpecialToken token => Literal(Encoding.UTF8.GetBytes(token.Content), start),
            CodePoint codePoint => Rune.DecodeFromUtf8(text.AsSpan(start), out var rune, out var length) == OperationStatus.Done
                && codePoint.Set.Contains(rune.Value) ? [start + length] : [],
            Sequence sequence => sequence.Items.Aggregate(new SortedSet<int> { start }, (from, item) => Step(item, from)),
            Choice choice => [.. choice.Items.SelectMany(item => Ends(item, start))],
            Repeat repeat => Repeated(repeat, start),
            All all => all.Items.Select(item => Ends(item, start)).Aggregate((a, b) => [.. a.Intersect(b)]),
            Not not => [.. Enumerable.Range(start, text.Length - start + 1)
                .Where(end => end == text.Length || (text[end] & 0xC0) != 0x80).Except(Ends(not.Item, start))],
            _ => throw new ArgumentOutOfRangeException(nameof(node), node, "another kind of node"),
        };
        known.Add((node, start), ends);
        return ends;
    }

    private SortedSet<int> Literal(ReadOnlySpan<byte> bytes, int start) => text.AsSpan(start).StartsWith(bytes) ? [start + bytes.Length] : [];

    private SortedSet<int> Step(GrammarNode item, SortedSet<int> from) => [.. from.SelectMany(start => Ends(item, start))];

    // A match of nothing counts as often as is wanted; others are at most as many as there are bytes.
    private SortedSet<int> Repeated(Repeat repeat, int start)
    {
        var isEmpty = Ends(repeat.Item, start).Contains(start);
        var (ends, now) = (new SortedSet<int>(), new SortedSet<int> { start });
        for (var count = 0; now.Count > 0 && count <= text.Length + 1 && !(count > repeat.Most); count++)
        {
            if (count >= repeat.Least || isEmpty) ends.UnionWith(now);
            now = Step(repeat.Item, now);
        }
        return ends;
    }

    private sealed class ByIdentity : IEqualityComparer<(GrammarNode Node, int Start)>
    {
        public bool Equals((GrammarNode Node, int Start) x, (GrammarNode Node, int Start) y) => ReferenceEquals(x.Node, y.Node) && x.Start == y.Start;

        public int GetHashCode((GrammarNode Node, int Start) pair) =>
            HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(pair.Node), pair.Start);
    }
}
