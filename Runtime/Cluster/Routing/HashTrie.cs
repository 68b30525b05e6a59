using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Quilt.Cluster.Routing;

/// <summary>
/// Which endpoint was given which beginnings of texts, in chunks of so many characters, each chunk by its hash. The last, short chunk is hashed as it
/// is: a match is told in whole chunks. Endpoints are numbers that a caller gives them, from 0.
/// </summary>
/// <param name="chunk">Characters (code points) of a chunk.</param>
/// <param name="maxNodes">With more nodes than this everything is forgotten: the rule it follows forgets nothing, and memory ends.</param>
internal sealed class HashTrie(int chunk, int maxNodes = int.MaxValue)
{
    private Node root = new();
    private int nodes;
    private int[] depths = [];                               // of endpoints, during a search: nodes along the text that have it; −1: not asked for

    /// <summary>Takes note that an endpoint was given a text.</summary>
    public void Insert(ReadOnlySpan<char> text, int endpoint)
    {
        if (nodes > maxNodes) (root, nodes) = (new Node(), 0);
        var node = root;
        while (!text.IsEmpty)
        {
            node.Children ??= [];
            ref var child = ref CollectionsMarshal.GetValueRefOrAddDefault(node.Children, Next(ref text), out var isKnown);
            if (!isKnown)
            {
                child = new Node();
                nodes++;
            }
            node = child!;
            if (!node.Endpoints.Contains(endpoint)) node.Endpoints.Add(endpoint);
        }
    }

    /// <summary>The longest beginning of a text that one of the endpoints was given.</summary>
    /// <param name="text">The text.</param>
    /// <param name="available">Endpoints that come into question.</param>
    /// <param name="found">Emptied; then all that match so far: all available ones where nothing matches.</param>
    /// <returns>Characters, a multiple of the chunk.</returns>
    public int Match(ReadOnlySpan<char> text, ReadOnlySpan<int> available, List<int> found)
    {
        foreach (var endpoint in available) Room(endpoint);
        Array.Fill(depths, -1);
        foreach (var endpoint in available) depths[endpoint] = 0;

        var (node, depth) = (root, 0);
        while (!text.IsEmpty && node.Children is not null && node.Children.TryGetValue(Next(ref text), out var child))
        {
            var isHeld = false;
            foreach (var endpoint in child.Endpoints)
            {
                if (endpoint >= depths.Length || depths[endpoint] != depth) continue;
                depths[endpoint] = depth + 1;
                isHeld = true;
            }
            if (!isHeld) break;
            (node, depth) = (child, depth + 1);
        }
        found.Clear();
        foreach (var endpoint in available)
        {
            if (depths[endpoint] == depth) found.Add(endpoint);
        }
        return depth * chunk;
    }

    private ulong Next(ref ReadOnlySpan<char> text)
    {
        var units = CodePoints.Units(text, chunk);
        var hash = XxHash64.HashToUInt64(MemoryMarshal.AsBytes(text[..units]));
        text = text[units..];
        return hash;
    }

    private void Room(int endpoint)
    {
        if (endpoint >= depths.Length) Array.Resize(ref depths, Math.Max(endpoint + 1, 2 * depths.Length));
    }

    private sealed class Node
    {
        public Dictionary<ulong, Node>? Children { get; set; }

        public List<int> Endpoints { get; } = [];
    }
}
