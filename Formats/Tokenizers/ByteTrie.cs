namespace Quilt.Formats.Tokenizers;

/// <summary>
/// A trie over byte strings: nodes are numbers from <see cref="Root"/> on, and the edges lie in one open-addressed table by parent and byte.
/// </summary>
internal sealed class ByteTrie
{
    public const int Root = 0;

    /// <summary>No node, and no value.</summary>
    public const int None = -1;

    private readonly int[] fromRoot = new int[256];
    private readonly List<int> values = [None];
    private ulong[] keys = new ulong[64];
    private int[] children = new int[64];
    private int edgeCount;

    public ByteTrie() => Array.Fill(fromRoot, None);

    /// <summary>Adds a byte string, or gives one that is there another value.</summary>
    /// <param name="bytes">Not empty.</param>
    /// <param name="value">Not negative.</param>
    /// <param name="keep">Whether a value that is there already stays.</param>
    public void Add(ReadOnlySpan<byte> bytes, int value, bool keep = false)
    {
        var node = Root;
        foreach (var b in bytes)
        {
            var child = Step(node, b);
            if (child < 0)
            {
                child = values.Count;
                values.Add(None);
                if (node == Root) fromRoot[b] = child;
                else Insert((ulong)(uint)node << 8 | b, child);
            }
            node = child;
        }
        if (!keep || values[node] == None) values[node] = value;
    }

    /// <summary>The node behind an edge, or <see cref="None"/>.</summary>
    public int Step(int node, byte value)
    {
        if (node == Root) return fromRoot[value];
        var key = (ulong)(uint)node << 8 | value;
        var mask = keys.Length - 1;
        for (var at = Hash(key) & mask; ; at = at + 1 & mask)
        {
            if (keys[at] == key) return children[at];
            if (keys[at] == 0) return None;
        }
    }

    /// <summary>The node that a byte string leads to from another one, or <see cref="None"/>.</summary>
    public int Walk(int node, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length && node >= 0; i++) node = Step(node, bytes[i]);
        return node;
    }

    /// <summary>The value of the string that ends at a node, or <see cref="None"/>.</summary>
    public int Value(int node) => values[node];

    /// <summary>The value of a byte string, or <see cref="None"/>.</summary>
    public int Find(ReadOnlySpan<byte> bytes) => Walk(Root, bytes) is >= 0 and var node ? values[node] : None;

    // No key is 0: the root's edges are not in the table.
    private void Insert(ulong key, int child)
    {
        if (++edgeCount * 2 > keys.Length)
        {
            var (oldKeys, oldChildren) = (keys, children);
            keys = new ulong[oldKeys.Length * 2];
            children = new int[keys.Length];
            for (var i = 0; i < oldKeys.Length; i++)
                if (oldKeys[i] != 0) Place(oldKeys[i], oldChildren[i]);
        }
        Place(key, child);
    }

    private void Place(ulong key, int child)
    {
        var mask = keys.Length - 1;
        var at = Hash(key) & mask;
        while (keys[at] != 0) at = at + 1 & mask;
        (keys[at], children[at]) = (key, child);
    }

    private static int Hash(ulong key) => (int)(key * 0x9E3779B97F4A7C15 >> 33);
}
