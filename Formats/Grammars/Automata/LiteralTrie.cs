using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Automata;

/// <summary>Some byte strings as one expression in which every byte leads to one place: common beginnings and ends are there once.</summary>
internal static class LiteralTrie
{
    public static Expression Build(ExpressionTable table, List<ImmutableArray<byte>> words)
    {
        words.Sort((one, other) => one.AsSpan().SequenceCompareTo(other.AsSpan()));
        // The nodes on the way to the last word: what is known of each, and whether a word ends there.
        var open = new List<(List<(byte, byte, Expression)> Ranges, bool IsEnd)> { ([], false) };
        ImmutableArray<byte> last = [];
        foreach (var word in words)
        {
            var shared = word.AsSpan().CommonPrefixLength(last.AsSpan());
            Close(shared, last);
            for (var i = shared; i < word.Length; i++) open.Add(([], false));
            open[^1] = (open[^1].Ranges, true);
            last = word;
        }
        Close(0, last);
        return Node(open[0]);

        void Close(int depth, ImmutableArray<byte> path)
        {
            while (open.Count - 1 > depth)
            {
                var target = Node(open[^1]);
                open.RemoveAt(open.Count - 1);
                var value = path[open.Count - 1];
                open[^1].Ranges.Add((value, value, target));
            }
        }

        Expression Node((List<(byte, byte, Expression)> Ranges, bool IsEnd) node)
        {
            var bytes = node.Ranges.Count == 0 ? table.Never : table.Bytes(node.Ranges);
            return node.IsEnd ? table.Choice([table.Empty, bytes]) : bytes;
        }
    }
}
