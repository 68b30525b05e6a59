namespace Quilt.Formats.Grammars.Json;

/// <summary>Names of properties that no schema lists: by which patterns they match they have different goals.</summary>
internal sealed class PropertyNames
{
    private const int MaxPatterns = 4;

    private readonly SchemaGrammar grammar;
    private readonly ObjectLimits limits;
    private readonly ICollection<string> known;
    private readonly List<GrammarNode> names;

    public PropertyNames(SchemaGrammar grammar, ObjectLimits limits, ICollection<string> known)
    {
        (this.grammar, this.limits, this.known) = (grammar, limits, known);
        names = [.. limits.Names.Select(Texts)];
    }

    /// <summary>Whether a name may be one at all.</summary>
    public bool Accepts(string name) => names.TrueForAll(texts => RegularText.Matches(texts, name, grammar.Budget));

    /// <summary>Names of each kind, as texts, null for any, and what their values have to meet.</summary>
    public IEnumerable<(GrammarNode? Names, Goal Goal)> Others(string pointer)
    {
        var patterns = limits.Parts.SelectMany(part => part.Patterns).ToList();
        if (patterns.Count > MaxPatterns)
        {
            throw new BadInputException(JsonSchemaReader.Origin, $"{pointer}/patternProperties",
                $"expected at most {MaxPatterns} patterns, found {patterns.Count}");
        }
        var isOpen = limits.Parts.Any(part => part.Others is { Literals.IsEmpty: false });
        var isClosed = limits.IsClosed || (grammar.IsClosed && !isOpen && limits.Parts.Any(part => part.IsListing));
        for (var matched = isClosed ? 1 : 0; matched < 1 << patterns.Count; matched++)
        {
            var goal = limits.Parts.Aggregate(Goal.Any, (all, part) => all.And(At(part, patterns, matched)));
            if (grammar.Expand(goal).Count > 0) yield return (Matched(patterns, matched), goal);
        }
    }

    private static Goal At(ObjectPart part, List<NamePattern> patterns, int matched)
    {
        Goal? goal = null;
        for (var i = 0; i < patterns.Count; i++)
        {
            if ((matched >> i & 1) != 0 && part.Patterns.Contains(patterns[i])) goal = goal is null ? patterns[i].Goal : goal.And(patterns[i].Goal);
        }
        return goal ?? part.Others ?? Goal.Any;
    }

    private GrammarNode? Matched(List<NamePattern> patterns, int matched)
    {
        var demands = new List<GrammarNode>(names);
        for (var i = 0; i < patterns.Count; i++) demands.Add((matched >> i & 1) != 0 ? patterns[i].Names : new Not(patterns[i].Names));
        if (known.Count > 0) demands.Add(new Not(Nodes.OneOf([.. known.Select(Nodes.Text)])));
        return demands.Count == 0 ? null : Nodes.Both([.. demands]);
    }

    private GrammarNode Texts(Goal goal) => Nodes.OneOf([.. grammar.Expand(goal)
        .Where(shape => shape.Types.HasFlag(JsonTypes.String))
        .Select(shape => shape.Values is { } values
            ? Nodes.OneOf([.. values.Items.Where(value => value.Type == JsonTypes.String).Select(value => value.Element.GetString()!)
                .Where(text => shape.Texts?.Accepts(text, grammar.Budget) != false).Select(Nodes.Text)])
            : shape.Texts?.ToNode() ?? Nodes.AnyText)]);
}
