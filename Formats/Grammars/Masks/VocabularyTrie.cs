using System.Buffers.Binary;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Byte strings with the tokens that they are, as a tree in flat arrays. The children of a node lie beside each other, and whatever is below a node
/// lies together. Node 0 is the empty string. Immutable.
/// </summary>
internal sealed class VocabularyTrie
{
    private readonly TrieNode[] nodes;
    private readonly byte[] values;
    private readonly int[] parents;
    private readonly ushort[] heights;
    private readonly int[] tokens;

    /// <param name="words">Byte strings, none empty and none of more than 65,535 bytes, and their tokens; they are sorted in place.</param>
    public VocabularyTrie((byte[] Bytes, int Token)[] words)
    {
        Sort(words);
        tokens = [.. words.Select(word => word.Token)];
        var (all, value, parent) = (new List<TrieNode>(), new List<byte>(), new List<int>());
        // The words of nodes that have no children yet, the next one last.
        var pending = new Stack<(int Node, int To, int Level)>();
        Add(0, 0, -1);
        pending.Push((0, words.Length, 0));
        while (pending.TryPop(out var next))
        {
            var (node, to, level) = next;
            var at = all[node].Tokens;
            var end = at;
            while (end < to && words[end].Bytes.Length == level) end++;
            var first = all.Count;
            var ends = new Stack<int>();
            for (var from = end; from < to; from = ends.Peek())
            {
                var behind = from + 1;
                while (behind < to && words[behind].Bytes[level] == words[from].Bytes[level]) behind++;
                Add(words[from].Bytes[level], from, node);
                ends.Push(behind);
            }
            all[node] = new(first, all.Count, at, end, to);
            for (var child = all.Count - 1; child >= first; child--) pending.Push((child, ends.Pop(), level + 1));
        }
        (nodes, values, parents) = ([.. all], [.. value], [.. parent]);
        heights = new ushort[nodes.Length];
        for (var i = nodes.Length - 1; i > 0; i--) heights[parents[i]] = Math.Max(heights[parents[i]], (ushort)(heights[i] + 1));

        void Add(byte own, int from, int above)
        {
            all.Add(new(0, 0, from, from, from));
            value.Add(own);
            parent.Add(above);
        }
    }

    /// <summary>The length of the longest byte string.</summary>
    public int Deepest => heights[0];

    /// <summary>By node: its children and its tokens.</summary>
    public ReadOnlySpan<TrieNode> Nodes => nodes;

    /// <summary>By node: its byte.</summary>
    public ReadOnlySpan<byte> Values => values;

    /// <summary>By node: how many bytes the longest string below it has more.</summary>
    public ReadOnlySpan<ushort> Heights => heights;

    /// <summary>The tokens at a node.</summary>
    public ReadOnlySpan<int> At(int node) => tokens.AsSpan(nodes[node].Tokens, nodes[node].TokensEnd - nodes[node].Tokens);

    /// <summary>The tokens at a node and below it.</summary>
    public ReadOnlySpan<int> From(int node) => tokens.AsSpan(nodes[node].Tokens, nodes[node].BelowEnd - nodes[node].Tokens);

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

/// <summary>A node of a tree of tokens.</summary>
/// <param name="First">Its first child.</param>
/// <param name="End">Behind its last child.</param>
/// <param name="Tokens">Where its tokens begin.</param>
/// <param name="TokensEnd">Where they end, and those below it begin.</param>
/// <param name="BelowEnd">Where those below it end.</param>
internal readonly record struct TrieNode(int First, int End, int Tokens, int TokensEnd, int BelowEnd);
