namespace Quilt.Cluster.Routing;

/// <summary>
/// The texts that tenants were given, those with a common beginning along one path. A tenant (here a replica) is known at a node only where it is at
/// all nodes above. Tenants are numbers that a caller gives them, from 0. Characters are code points. (SGLang's router)
/// </summary>
internal sealed class RadixTree
{
    private readonly Node root = new("", null);
    private readonly List<long> sizes = [];                  // by tenant; −1: not a tenant
    private long clock;

    /// <summary>Characters that are remembered of a tenant; −1 where it is none.</summary>
    public long SizeOf(int tenant) => tenant < sizes.Count ? sizes[tenant] : -1;

    /// <summary>Makes a tenant known that has nothing yet.</summary>
    public void Add(int tenant)
    {
        while (sizes.Count <= tenant) sizes.Add(-1);
        if (sizes[tenant] < 0) sizes[tenant] = 0;
    }

    /// <summary>Takes note that a tenant was given a text.</summary>
    public void Insert(ReadOnlySpan<char> text, int tenant)
    {
        Add(tenant);
        clock++;
        var node = root;
        while (!text.IsEmpty)
        {
            var child = node.Child(text);
            if (child is null)
            {
                child = new Node(text.ToString(), node);
                node.Attach(child);
            }
            var common = CodePoints.Common(child.Text, text);
            if (common < child.Text.Length) child = child.Split(common);
            if (!child.Used.ContainsKey(tenant)) sizes[tenant] += child.Characters;
            child.Used[tenant] = clock;
            node = child;
            text = text[common..];
        }
    }

    /// <summary>
    /// The longest beginning of a text that a tenant was given, and who: of several the one with the least load, then who had it last.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="loads">By tenant; −1, or none: it does not come into question.</param>
    /// <param name="tenant">Who; −1 where nobody has any of it.</param>
    /// <returns>Units of the text.</returns>
    public int Match(ReadOnlySpan<char> text, ReadOnlySpan<int> loads, out int tenant)
    {
        var (node, matched) = (root, 0);
        tenant = -1;
        while (matched < text.Length && node.Child(text[matched..]) is { } child)
        {
            var holder = child.Best(loads);
            if (holder < 0) break;
            var common = CodePoints.Common(child.Text, text[matched..]);
            (tenant, matched, node) = (holder, matched + common, child);
            if (common < child.Text.Length) break;
        }
        clock++;
        for (var used = node; tenant >= 0 && used != root; used = used.Parent!) used.Used[tenant] = clock;
        return matched;
    }

    /// <summary>Forgets of each tenant with more characters than these what it was given longest ago, ends before beginnings.</summary>
    public void Evict(long maxCharacters)
    {
        var leaves = new PriorityQueue<(Node Node, int Tenant), long>();
        foreach (var node in Below())
        {
            foreach (var (tenant, used) in node.Used)
            {
                if (sizes[tenant] > maxCharacters && node.IsLeafOf(tenant)) leaves.Enqueue((node, tenant), used);
            }
        }
        while (leaves.TryDequeue(out var leaf, out _))
        {
            var (node, tenant) = leaf;
            if (sizes[tenant] <= maxCharacters) continue;
            Drop(node, tenant);
            if (node.Parent is { } above && above != root && above.IsLeafOf(tenant)) leaves.Enqueue((above, tenant), above.Used[tenant]);
        }
    }

    /// <summary>Forgets a tenant.</summary>
    public void Remove(int tenant)
    {
        if (SizeOf(tenant) < 0) return;
        foreach (var node in Below().ToArray()) Drop(node, tenant);
        sizes[tenant] = -1;
    }

    private void Drop(Node node, int tenant)
    {
        if (!node.Used.Remove(tenant)) return;
        sizes[tenant] -= node.Characters;
        if (node.Used.Count == 0) node.Parent!.Detach(node);
    }

    // A path may be as long as a text: no recursion.
    private IEnumerable<Node> Below()
    {
        var open = new Stack<Node>(root.Children);
        while (open.TryPop(out var node))
        {
            foreach (var child in node.Children) open.Push(child);
            yield return node;
        }
    }

    private sealed class Node(string text, Node? parent)
    {
        private Dictionary<int, Node>? children;             // by the first code point of their text

        public string Text { get; private set; } = text;

        public int Characters { get; private set; } = CodePoints.Count(text);

        public Node? Parent { get; private set; } = parent;

        /// <summary>When each tenant had it last.</summary>
        public Dictionary<int, long> Used { get; private set; } = [];

        public IEnumerable<Node> Children => children is null ? [] : children.Values;

        public Node? Child(ReadOnlySpan<char> rest) =>
            children is not null && children.TryGetValue(CodePoints.First(rest), out var child) ? child : null;

        public void Attach(Node child) => (children ??= [])[CodePoints.First(child.Text)] = child;

        public void Detach(Node child) => children!.Remove(CodePoints.First(child.Text));

        /// <summary>Cuts the text in two; returns the new node above, which has the first units and the same tenants.</summary>
        public Node Split(int units)
        {
            var above = new Node(Text[..units], Parent) { Used = new(Used) };
            (Text, Parent) = (Text[units..], above);
            Characters -= above.Characters;
            above.Parent!.Attach(above);
            above.Attach(this);
            return above;
        }

        public bool IsLeafOf(int tenant)
        {
            foreach (var child in Children)
            {
                if (child.Used.ContainsKey(tenant)) return false;
            }
            return true;
        }

        public int Best(ReadOnlySpan<int> loads)
        {
            var (best, last) = (-1, 0L);
            foreach (var (tenant, used) in Used)
            {
                if (tenant >= loads.Length || loads[tenant] < 0) continue;
                if (best >= 0 && (loads[tenant] > loads[best] || (loads[tenant] == loads[best] && used <= last))) continue;
                (best, last) = (tenant, used);
            }
            return best;
        }
    }
}
