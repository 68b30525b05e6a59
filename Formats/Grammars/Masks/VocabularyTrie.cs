using System.Buffers.Binary;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Byte strings with the tokens that they are, as a tree in flat arrays, level by level, so that the children of a node lie beside each other. Node 0
/// is the empty string. Immutable.
/// </summary>
internal sealed class VocabularyTrie
{
    private readonly byte[] values;
    private readonly int[] children;
    private readonly int[] parents;
    private readonly int[] tokenStarts;
    private readonly int[] tokens;

    /// <param name="words">Byte strings, none empty, and their tokens; they are sorted in place.</param>
    public VocabularyTrie((byte[] Bytes, int Token)[] words)
    {
        Sort(words);
        var (value, child, parent, start) = (new List<byte> { 0 }, new List<int>(), new List<int> { -1 }, new List<int>());
        // The words of each node, one level after the other.
        var spans = new List<(int From, int To)> { (0, words.Length) };
        var ordered = new List<int>(words.Length);
        for (int node = 0, level = 0, last = 0; node < spans.Count; node++)
        {
            var (from, to) = spans[node];
            start.Add(ordered.Count);
            child.Add(spans.Count);
            for (; from < to && words[from].Bytes.Length == level; from++) ordered.Add(words[from].Token);
            while (from < to)
            {
                var next = words[from].Bytes[level];
                var end = from + 1;
                while (end < to && words[end].Bytes[level] == next) end++;
                value.Add(next);
                parent.Add(node);
                spans.Add((from, end));
                from = end;
            }
            if (node != last) continue;
            last = spans.Count - 1;
            level++;
            if (last > node) Deepest = level;
        }
        start.Add(ordered.Count);
        child.Add(spans.Count);
        (values, children, parents, tokenStarts, tokens) = ([.. value], [.. child], [.. parent], [.. start], [.. ordered]);
    }

    /// <summary>The length of the longest byte string.</summary>
    public int Deepest { get; }

    /// <summary>By node: its byte.</summary>
    public ReadOnlySpan<byte> Values => values;

    /// <summary>By node: its first child; its last one comes before the next node's first.</summary>
    public ReadOnlySpan<int> Children => children;

    /// <summary>The tokens at a node.</summary>
    public ReadOnlySpan<int> At(int node) => tokens.AsSpan(tokenStarts[node], tokenStarts[node + 1] - tokenStarts[node]);

    /// <summary>The bytes that lead to a node, its own among them.</summary>
    public byte[] PathTo(int node)
    {
        var bytes = new List<byte>();
        for (; node > 0; node = parents[node]) bytes.Add(values[node]);
        bytes.Reverse();
        return [.. bytes];
    }

    // By their first eight bytes as numbers, which tells most apart; what is left is compared.
    private static void Sort((byte[] Bytes, int Token)[] words)
    {
        var keys = new ulong[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            Span<byte> first = stackalloc byte[8];
            first.Clear();
            var bytes = words[i].Bytes;
            bytes.AsSpan(0, Math.Min(8, bytes.Length)).CopyTo(first);
            keys[i] = BinaryPrimitives.ReadUInt64BigEndian(first);
        }
        Array.Sort(keys, words);
        for (var i = 0; i < words.Length;)
        {
            var next = i + 1;
            while (next < words.Length && keys[next] == keys[i]) next++;
            if (next - i > 1) words.AsSpan(i, next - i).Sort(Compare);
            i = next;
        }
    }

    private static int Compare((byte[] Bytes, int Token) one, (byte[] Bytes, int Token) other) =>
        one.Bytes.AsSpan().SequenceCompareTo(other.Bytes) is not 0 and var order ? order : one.Token.CompareTo(other.Token);
}
