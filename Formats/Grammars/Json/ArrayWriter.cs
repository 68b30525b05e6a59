namespace Quilt.Formats.Grammars.Json;

/// <summary>Lists as a grammar: items in order, counted.</summary>
internal sealed class ArrayWriter(SchemaGrammar grammar, ArrayLimits limits, string name, string pointer)
{
    private const int MaxNested = 8;

    private readonly JsonTokens tokens = grammar.Tokens;

    /// <summary>The list, brackets and all.</summary>
    public GrammarNode Write() => Nodes.InOrder(tokens.OpenList, limits.Contains.IsEmpty ? Items() : Containing(), JsonTokens.CloseList);

    private GrammarNode Items()
    {
        var first = limits.First.Length;
        var most = limits.IsClosed ? Math.Min(first, limits.Most ?? first) : limits.Most;
        if (first == 0) return tokens.Some(Item(limits.At(0)), limits.Least, most);
        if (most < limits.Least) return GrammarNode.Never;
        var rest = Nodes.InOrder(tokens.Comma, Item(limits.At(first)));
        var node = limits.IsClosed
            ? GrammarNode.Nothing
            : Nodes.Times(rest, Math.Max(0, limits.Least - first), most is null ? null : Math.Max(0, most.Value - first));
        var optional = Math.Min(first, limits.Least);
        var last = Math.Min(first, most ?? first);
        for (var i = last - 1; i >= optional; i--)
        {
            var item = Item(limits.At(i));
            node = Nodes.IsNever(item) ? GrammarNode.Nothing
                : Nodes.Optional(i == 0 ? Nodes.InOrder(item, node) : Nodes.InOrder(tokens.Comma, item, node));
            if ((last - i) % MaxNested != 0) continue;
            // A rule now and then, so that nodes do not nest deeply.
            var rule = $"{name} from {i}";
            grammar.Rules[rule] = node;
            node = new RuleReference(rule);
        }
        var items = new List<GrammarNode>();
        for (var i = 0; i < optional; i++)
        {
            if (i > 0) items.Add(tokens.Comma);
            items.Add(Item(limits.At(i)));
        }
        return Nodes.InOrder([.. items, node]);
    }

    // Some items, one that is looked for, some more.
    private GrammarNode Containing()
    {
        if (limits.Contains.Length > 1 || !limits.First.IsEmpty || limits.Least > 1 || limits.Most is not null)
        {
            throw new BadInputException(JsonSchemaReader.Origin, $"{pointer}/contains",
                "expected no prefixItems, maxItems, or minItems above 1 beside it");
        }
        var item = Item(limits.At(0));
        return Nodes.InOrder(
            Nodes.Times(Nodes.InOrder(item, tokens.Comma), 0, null),
            Item(limits.At(0).And(limits.Contains[0])),
            Nodes.Times(Nodes.InOrder(tokens.Comma, item), 0, null));
    }

    private GrammarNode Item(Goal goal) => Nodes.InOrder(grammar.Of(goal), tokens.Space);
}
