namespace Quilt.Formats.Grammars.Automata;

/// <summary>All nodes of a grammar, those that others are made of first, and which rules contain themselves.</summary>
internal sealed class NodeGraph
{
    private const int MaxNodes = 300_000;
    private const long MaxBytes = 4 << 20;
    private readonly GrammarRules grammar;
    private readonly Dictionary<GrammarNode, int> numbers = new(ReferenceEqualityComparer.Instance);
    private readonly List<GrammarNode> nodes = [];
    private readonly HashSet<GrammarNode> recursive = new(ReferenceEqualityComparer.Instance);

    /// <exception cref="BadInputException">A rule is not defined, or the grammar is too large.</exception>
    public NodeGraph(GrammarRules grammar)
    {
        this.grammar = grammar;
        Visit();
        IsNullable = FindNullable();
    }

    /// <summary>The nodes in use.</summary>
    public IReadOnlyList<GrammarNode> Nodes => nodes;

    /// <summary>By node number: whether the empty text belongs to it.</summary>
    public bool[] IsNullable { get; }

    /// <summary>The number of a node.</summary>
    public int this[GrammarNode node] => numbers[node];

    /// <summary>Whether a node is the body of a rule that contains itself.</summary>
    public bool IsRecursive(GrammarNode body) => recursive.Contains(body);

    /// <summary>The node that a rule stands for.</summary>
    public GrammarNode Body(RuleReference reference) => grammar.Rules.TryGetValue(reference.Name, out var body)
        ? body
        : throw new BadInputException("grammar", null, $"the rule '{reference.Name}' is not defined");

    /// <summary>What a node is made of; of a reference: the rule.</summary>
    public ReadOnlySpan<GrammarNode> Parts(GrammarNode node) => node switch
    {
        Sequence sequence => sequence.Items.AsSpan(),
        Choice choice => choice.Items.AsSpan(),
        All all => all.Items.AsSpan(),
        Repeat repeat => new GrammarNode[] { repeat.Item },
        Not not => new GrammarNode[] { not.Item },
        RuleReference reference => new GrammarNode[] { Body(reference) },
        _ => default,
    };

    private void Visit()
    {
        var path = new Stack<(GrammarNode Node, int Next)>();
        var open = new HashSet<GrammarNode>(ReferenceEqualityComparer.Instance) { grammar.Root };
        path.Push((grammar.Root, 0));
        var bytes = 0L;
        while (path.TryPop(out var top))
        {
            var parts = Parts(top.Node);
            if (top.Next == parts.Length)
            {
                open.Remove(top.Node);
                numbers[top.Node] = nodes.Count;
                nodes.Add(top.Node);
                if (top.Node is Literal literal) bytes += literal.Bytes.Length;
                if (nodes.Count > MaxNodes || bytes > MaxBytes) throw new BadInputException("grammar", null, "it is too large");
                continue;
            }
            path.Push((top.Node, top.Next + 1));
            var part = parts[top.Next];
            if (part is Literal or CodePoint)
            {
                if (!numbers.TryAdd(part, nodes.Count)) continue;
                nodes.Add(part);
                if (part is Literal text) bytes += text.Bytes.Length;
                if (nodes.Count > MaxNodes || bytes > MaxBytes) throw new BadInputException("grammar", null, "it is too large");
                continue;
            }
            if (numbers.ContainsKey(part)) continue;
            if (open.Add(part)) path.Push((part, 0));
            else recursive.Add(part is RuleReference reference ? Body(reference) : part);
        }
    }

    private bool[] FindNullable()
    {
        var users = new List<int>?[nodes.Count];
        for (var i = 0; i < nodes.Count; i++)
            foreach (var part in Parts(nodes[i]))
                if (part is not (Literal { Bytes.IsEmpty: false } or CodePoint)) (users[numbers[part]] ??= []).Add(i);
        var nullable = new bool[nodes.Count];
        // In order: when a complement is judged, what is in it is known, since it holds no rules.
        for (var i = 0; i < nodes.Count; i++) nullable[i] = Judge(i);
        var queue = new Queue<int>(Enumerable.Range(0, nodes.Count).Where(i => nullable[i]));
        while (queue.TryDequeue(out var i))
        {
            foreach (var user in users[i] ?? [])
            {
                if (nullable[user] || nodes[user] is Not || !Judge(user)) continue;
                nullable[user] = true;
                queue.Enqueue(user);
            }
        }
        return nullable;

        bool Judge(int i) => nodes[i] switch
        {
            Literal literal => literal.Bytes.IsEmpty,
            Sequence sequence => sequence.Items.All(item => nullable[numbers[item]]),
            Choice choice => choice.Items.Any(item => item is not (Literal { Bytes.IsEmpty: false } or CodePoint) && nullable[numbers[item]]),
            All all => all.Items.All(item => nullable[numbers[item]]),
            Repeat repeat => repeat.Least == 0 || repeat.Most == 0 || nullable[numbers[repeat.Item]],
            Not not => !nullable[numbers[not.Item]],
            RuleReference reference => nullable[numbers[Body(reference)]],
            _ => false,
        };
    }
}
