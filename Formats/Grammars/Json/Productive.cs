namespace Quilt.Formats.Grammars.Json;

/// <summary>Whether rules lead to a finite text at all.</summary>
internal static class Productive
{
    /// <summary>Whether a node does, with the rules it refers to; what regular nodes leave over is not looked into.</summary>
    public static bool Has(GrammarNode root, IReadOnlyDictionary<string, GrammarNode> rules)
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        var users = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (name, rule) in rules)
        {
            foreach (var used in References(rule).Distinct(StringComparer.Ordinal))
            {
                if (!users.TryGetValue(used, out var list)) users.Add(used, list = []);
                list.Add(name);
            }
        }
        // Rules that are done make others so.
        var open = new Stack<string>(rules.Keys);
        while (open.TryPop(out var name))
        {
            if (done.Contains(name) || !Is(rules[name])) continue;
            done.Add(name);
            if (!users.TryGetValue(name, out var list)) continue;
            foreach (var user in list)
            {
                if (!done.Contains(user)) open.Push(user);
            }
        }
        return Is(root);

        bool Is(GrammarNode node) => node switch
        {
            Sequence sequence => sequence.Items.All(Is),
            Choice choice => choice.Items.Any(Is),
            Repeat repeat => repeat.Least == 0 || Is(repeat.Item),
            RuleReference reference => done.Contains(reference.Name),
            _ => true,
        };
    }

    private static IEnumerable<string> References(GrammarNode node) => node switch
    {
        Sequence sequence => sequence.Items.SelectMany(References),
        Choice choice => choice.Items.SelectMany(References),
        Repeat repeat => References(repeat.Item),
        RuleReference reference => [reference.Name],
        _ => [],
    };
}
