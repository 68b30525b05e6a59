using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// Turns the nodes of a grammar into expressions. Rules that do not contain themselves are put where they are called, unless that would make
/// looking for first bytes slow.
/// </summary>
internal sealed class ExpressionBuilder
{
    private const int InlineSpread = 2_000;
    private readonly NodeGraph graph;
    private readonly ExpressionTable table;
    private readonly Expression?[] built;
    private readonly bool[] hasReference;
    private readonly Dictionary<GrammarNode, int> ruleOf = new(ReferenceEqualityComparer.Instance);
    private readonly List<GrammarNode> rules = [];
    private readonly Dictionary<string, int> specials = new(StringComparer.Ordinal);
    private readonly Expression wellFormed;

    private ExpressionBuilder(GrammarRules grammar, ExpressionTable table)
    {
        this.table = table;
        graph = new NodeGraph(grammar);
        built = new Expression[graph.Nodes.Count];
        hasReference = new bool[graph.Nodes.Count];
        wellFormed = table.Repeat(Utf8Ranges.Build(table, CodePointSet.Any), 0, -1);
    }

    /// <summary>Builds the expressions of a grammar.</summary>
    /// <exception cref="BadInputException">The grammar is malformed or too large.</exception>
    public static BuiltGrammar Build(GrammarRules grammar, ExpressionTable table)
    {
        var builder = new ExpressionBuilder(grammar, table);
        for (var i = 0; i < builder.built.Length; i++)
        {
            // Texts and classes are built where they stand by themselves: in a choice they become one.
            if (builder.graph.Nodes[i] is Literal or CodePoint) continue;
            var one = builder.built[i] = builder.Build(builder.graph.Nodes[i], i);
            if (one.Spread >= ExpressionTable.SpreadLimit)
                throw new BadInputException("grammar", null, "it can go on in too many ways at one place");
        }
        return new BuiltGrammar(
            builder.Built(grammar.Root),
            [.. builder.rules.Select(builder.Built)],
            [.. builder.rules.Select(body => builder.graph.IsNullable[builder.graph[body]])],
            [.. builder.specials.OrderBy(special => special.Value).Select(special => special.Key)]);
    }

    private Expression Build(GrammarNode node, int number)
    {
        foreach (var part in graph.Parts(node))
        {
            if (part is Literal or CodePoint) continue;
            // A part that is not built yet is still open: it contains itself.
            var isOpen = built[graph[part]] is null;
            if (node is RuleReference || isOpen || hasReference[graph[part]]) hasReference[number] = true;
        }
        if (hasReference[number] && node is All or Not)
            throw new BadInputException("grammar", null, "an intersection or complement of rules is not supported");
        switch (node)
        {
            case Sequence sequence:
                var whole = table.Empty;
                for (var i = sequence.Items.Length - 1; i >= 0; i--) whole = table.Sequence(Built(sequence.Items[i]), whole);
                return whole;
            case Choice choice: return BuildChoice(choice);
            case Repeat repeat: return BuildRepeat(repeat);
            case All all: return table.All([.. all.Items.Select(Built)]);
            case Not not: return table.All([wellFormed, table.Not(Built(not.Item))]);
            case RuleReference reference: return BuildReference(graph.Body(reference));
            case SpecialToken special:
                if (!specials.TryGetValue(special.Content, out var index)) specials[special.Content] = index = specials.Count;
                return table.Special(index);
            default: throw new BadInputException("grammar", null, $"a node of type {node.GetType().Name} is not known");
        }
    }

    // Nodes may be shared: one that is part of itself, by way of rules, comes before itself there, and is called as a rule.
    private Expression Built(GrammarNode part)
    {
        ref var known = ref built[graph[part]];
        return part switch
        {
            _ when known is not null => known,
            Literal literal => known = LiteralTrie.Build(table, [literal.Bytes]),
            CodePoint point => known = Utf8Ranges.Build(table, point.Set),
            RuleReference reference => BuildReference(graph.Body(reference)),
            _ => Call(part),
        };
    }

    private Expression BuildRepeat(Repeat repeat)
    {
        if (repeat.Least < 0 || repeat.Most < repeat.Least)
            throw new BadInputException("grammar", null, $"a repeat from {repeat.Least} to {repeat.Most} times is not possible");
        return table.Repeat(Built(repeat.Item), repeat.Least, repeat.Most ?? -1);
    }

    private Expression BuildChoice(Choice choice)
    {
        var words = new List<ImmutableArray<byte>>();
        var points = new List<CodePointSet>();
        var items = new List<Expression>();
        foreach (var item in choice.Items)
        {
            if (item is Literal literal) words.Add(literal.Bytes);
            else if (item is CodePoint point) points.Add(point.Set);
            else items.Add(Built(item));
        }
        if (words.Count > 0) items.Add(LiteralTrie.Build(table, words));
        if (points.Count > 0) items.Add(Utf8Ranges.Build(table, CodePointSet.Of([.. points.SelectMany(set => set.Ranges)])));
        return table.Choice(items);
    }

    private Expression BuildReference(GrammarNode body)
    {
        if (!graph.IsRecursive(body) && !ruleOf.ContainsKey(body) && Built(body) is { Spread: <= InlineSpread } known) return known;
        return Call(body);
    }

    private Expression Call(GrammarNode body)
    {
        if (!ruleOf.TryGetValue(body, out var rule))
        {
            ruleOf[body] = rule = rules.Count;
            rules.Add(body);
        }
        return table.Call(rule, graph.IsNullable[graph[body]]);
    }
}

/// <summary>A grammar as expressions: the whole text, rules that are called, and special tokens by number.</summary>
internal sealed record BuiltGrammar(Expression Root, Expression[] Rules, bool[] IsNullable, string[] Specials);
