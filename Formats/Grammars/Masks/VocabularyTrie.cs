using System.Buffers.Binary;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Byte strings with the tokens that they are, as a tree in flat arrays: a node is followed by what is below it, so that a walk goes forward only.
/// Immutable.
/// </summary>
internal sealed class VocabularyTrie
{
    private readonly byte[] values;
    private readonly ushort[] depths;
    private readonly int[] skips;
    private readonly int[] parents;
    private readonly int[] tokenStarts;
    private readonly int[] tokenEnds;
    private readonly int[] tokens;

    /// <param name="words">Byte strings, none empty or longer than 65,535, and their tokens; they are sorted in place.</param>
    public VocabularyTrie((byte[] Bytes, int Token)[] words)
    {
        Sort(words);
        var (value, depth, skip, start) = (new List<byte>(), new List<ushort>(), new List<int>(), new List<int>());
        var (end, parent) = (new List<int>(), new List<int>());
        var path = new Stack<int>();
        byte[] last = [];
        tokens = new int[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            var bytes = words[i].Bytes;
            var shared = bytes.AsSpan().CommonPrefixLength(last);
            while (path.Count > shared) skip[path.Pop()] = value.Count;
            for (var d = shared; d < bytes.Length; d++)
            {
                parent.Add(path.TryPeek(out var above) ? above : -1);
                path.Push(value.Count);
                value.Add(bytes[d]);
                depth.Add((ushort)(d + 1));
                skip.Add(0);
                start.Add(i);
                end.Add(i);
            }
            tokens[i] = words[i].Token;
            end[path.Peek()] = i + 1;
            last = bytes;
            Deepest = Math.Max(Deepest, bytes.Length);
        }
        while (path.TryPop(out var node)) skip[node] = value.Count;
        start.Add(words.Length);
        parents = [.. parent];
        (values, depths, skips, tokenStarts, tokenEnds) = ([.. value], [.. depth], [.. skip], [.. start], [.. end]);
    }

    /// <summary>How many nodes there are; they are numbered from 0.</summary>
    public int Count => values.Length;

    /// <summary>The length of the longest byte string.</summary>
    public int Deepest { get; }

    /// <summary>By node: its byte.</summary>
    public ReadOnlySpan<byte> Values => values;

    /// <summary>By node: how many bytes lead to it, its own among them.</summary>
    public ReadOnlySpan<ushort> Depths => depths;

    /// <summary>By node: the next one that is not below it.</summary>
    public ReadOnlySpan<int> Skips => skips;

    /// <summary>The tokens at a node.</summary>
    public ReadOnlySpan<int> At(int node) => tokens.AsSpan(tokenStarts[node], tokenEnds[node] - tokenStarts[node]);

    /// <summary>The tokens at a node and below it.</summary>
    public ReadOnlySpan<int> Below(int node) => tokens.AsSpan(tokenStarts[node], tokenStarts[skips[node]] - tokenStarts[node]);

    /// <summary>The bytes that lead to a node, its own among them.</summary>
    public byte[] PathTo(int node)
    {
        var bytes = new byte[depths[node]];
        for (var i = bytes.Length - 1; i >= 0; i--, node = parents[node]) bytes[i] = values[node];
        return bytes;
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
