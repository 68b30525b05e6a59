namespace Quilt.Formats.Grammars.Notations;

/// <summary>Nodes with another name for every rule, so that two grammars can be one. Nodes that are shared stay shared.</summary>
internal sealed class RenamedRules(string prefix)
{
    private readonly Dictionary<GrammarNode, GrammarNode> renamed = new(ReferenceEqualityComparer.Instance);

    /// <summary>A node with the new names.</summary>
    public GrammarNode Of(GrammarNode root)
    {
        var pending = new Stack<(GrammarNode Node, bool IsReady)>([(root, false)]);
        while (pending.TryPop(out var top))
        {
            if (renamed.ContainsKey(top.Node)) continue;
            var parts = Parts(top.Node);
            if (top.IsReady || parts.Length == 0)
            {
                renamed[top.Node] = Rename(top.Node);
                continue;
            }
            pending.Push((top.Node, true));
            foreach (var part in parts) pending.Push((part, false));
        }
        return renamed[root];
    }

    private static GrammarNode[] Parts(GrammarNode node) => node switch
    {
        Sequence sequence => [.. sequence.Items],
        Choice choice => [.. choice.Items],
        Repeat repeat => [repeat.Item],
        _ => [],
    };

    private GrammarNode Rename(GrammarNode node) => node switch
    {
        Sequence sequence => new Sequence([.. sequence.Items.Select(item => renamed[item])]),
        Choice choice => new Choice([.. choice.Items.Select(item => renamed[item])]),
        Repeat repeat => repeat with { Item = renamed[repeat.Item] },
        RuleReference reference => new RuleReference(prefix + reference.Name),
        // Intersections and complements hold no rules.
        _ => node,
    };
}
