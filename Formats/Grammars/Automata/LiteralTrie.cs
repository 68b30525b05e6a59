using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Automata;

/// <summary>Some byte strings as one expression in which every byte leads to one place: common beginnings and ends are there once.</summary>
internal static class LiteralTrie
{
    public static Expression Build(ExpressionTable table, List<ImmutableArray<byte>> words)
    {
        words = Sorted(words);
        // The nodes on the way to the last word: what is known of each, and whether a word ends there.
        var open = new List<(List<(byte, byte, Expression)> Ranges, bool IsEnd)> { ([], false) };
        var spare = new Stack<List<(byte, byte, Expression)>>();
        ImmutableArray<byte> last = [];
        foreach (var word in words)
        {
            var shared = word.AsSpan().CommonPrefixLength(last.AsSpan());
            Close(shared, last);
            for (var i = shared; i < word.Length; i++) open.Add((spare.TryPop(out var list) ? list : [], false));
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
                open[^1].Ranges.Clear();
                spare.Push(open[^1].Ranges);
                open.RemoveAt(open.Count - 1);
                var value = path[open.Count - 1];
                open[^1].Ranges.Add((value, value, target));
            }
        }

        Expression Node((List<(byte, byte, Expression)> Ranges, bool IsEnd) node)
        {
            if (node.Ranges.Count == 0) return node.IsEnd ? table.Empty : table.Never;
            var bytes = table.Bytes(node.Ranges);
            return node.IsEnd ? table.Choice([table.Empty, bytes]) : bytes;
        }
    }

    // By their first eight bytes as numbers, which tells most apart; what is left is compared.
    private static List<ImmutableArray<byte>> Sorted(List<ImmutableArray<byte>> words)
    {
        if (words.Count == 1) return words;
        var sorted = words.ToArray();
        var keys = new ulong[sorted.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var bytes = sorted[i].AsSpan();
            for (var at = 0; at < Math.Min(8, bytes.Length); at++) keys[i] |= (ulong)bytes[at] << (56 - (8 * at));
        }
        Array.Sort(keys, sorted);
        for (int i = 0, next; i < keys.Length; i = next)
        {
            next = i + 1;
            while (next < keys.Length && keys[next] == keys[i]) next++;
            if (next - i > 1) sorted.AsSpan(i, next - i).Sort((one, other) => one.AsSpan().SequenceCompareTo(other.AsSpan()));
        }
        return [.. sorted];
    }
}
