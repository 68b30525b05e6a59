namespace Quilt.Formats.Grammars.Json;

/// <summary>Makes a grammar of a schema: a rule for each goal that lists or objects may meet, one after another, until no goal is new.</summary>
internal sealed class SchemaGrammar
{
    private const int MaxRules = 500_000;

    private readonly SchemaDocument document;
    private readonly SchemaExpansion expansion;
    private readonly JsonGrammarOptions options;
    private readonly Dictionary<string, GrammarNode> nodesByGoal = new(StringComparer.Ordinal);
    private readonly Queue<(string Name, Goal Goal)> open = new();
    private readonly EscapeNodes escapes = new(all: true);

    public SchemaGrammar(SchemaDocument document, JsonGrammarOptions options)
    {
        (this.document, this.options) = (document, options);
        expansion = new(document);
        Tokens = new(options);
        Rules = Tokens.Rules;
    }

    public JsonTokens Tokens { get; }

    public Dictionary<string, GrammarNode> Rules { get; }

    /// <summary>Whether objects have no properties but those that are named.</summary>
    public bool IsClosed => options.DisableAdditionalProperties;

    /// <summary>Spells names that a schema does not write down.</summary>
    public EscapeNodes NameEscapes { get; } = new(all: false);

    /// <summary>The grammar of values that meet a goal.</summary>
    public GrammarRules Read(Goal goal)
    {
        var root = Of(goal);
        while (open.TryDequeue(out var next))
        {
            Rules[next.Name] = Write(next.Goal, next.Name);
            if (Rules.Count > MaxRules) throw new BadInputException(JsonSchemaReader.Origin, null, $"expected at most {MaxRules} rules");
        }
        return new(root, Rules);
    }

    /// <summary>Shapes of values that meet a goal.</summary>
    public IReadOnlyList<Shape> Expand(Goal goal) => expansion.Expand(goal);

    /// <summary>Values that meet a goal.</summary>
    public GrammarNode Of(Goal goal)
    {
        if (goal.Literals.IsEmpty) return JsonTokens.AnyValue;
        if (nodesByGoal.TryGetValue(goal.Key, out var node)) return node;
        var shapes = Expand(goal);
        if (shapes.Any(shape => shape.IsNested))
        {
            var name = $"{Where(goal)} ({nodesByGoal.Count})";
            open.Enqueue((name, goal));
            node = new RuleReference(name);
        }
        else node = Write(goal, $"{Where(goal)} ({nodesByGoal.Count})");
        return nodesByGoal[goal.Key] = node;
    }

    /// <summary>Where a goal's first schema stands.</summary>
    public string Where(Goal goal) => goal.Literals.IsEmpty ? "#" : document[goal.Literals[0] / 2].Pointer;

    private GrammarNode Write(Goal goal, string name)
    {
        var (choices, bodies) = (new List<GrammarNode>(), new List<GrammarNode>());
        var shapes = Expand(goal);
        foreach (var shape in shapes)
        {
            if (shape.Obstacles.FirstOrDefault(obstacle => (obstacle.Types & shape.Types) != 0) is { } obstacle)
                throw new BadInputException(JsonSchemaReader.Origin, obstacle.Pointer, obstacle.Reason);
            if (shape.Values is { } values) choices.Add(Listed(values, shape, goal));
            else AddTypes(shape, $"{name} {choices.Count + bodies.Count}", Where(goal), choices, bodies);
        }
        if (bodies.Count > 0) choices.Add(Nodes.InOrder(Tokens.OpenObject, Nodes.OneOf([.. bodies])));
        return Nodes.OneOf([.. choices]);
    }

    private void AddTypes(Shape shape, string name, string pointer, List<GrammarNode> choices, List<GrammarNode> bodies)
    {
        if (shape.Types.HasFlag(JsonTypes.Null)) choices.Add(JsonTokens.Null);
        if (shape.Types.HasFlag(JsonTypes.True)) choices.Add(JsonTokens.True);
        if (shape.Types.HasFlag(JsonTypes.False)) choices.Add(JsonTokens.False);
        if ((shape.Types & JsonTypes.Number) != 0) choices.Add(NumberNodes.Of(shape.Types, shape.Numbers, pointer, Rules));
        if (shape.Types.HasFlag(JsonTypes.String)) choices.Add(Text(shape.Texts));
        if (shape.Types.HasFlag(JsonTypes.Array))
            choices.Add(shape.Arrays is { } arrays ? new ArrayWriter(this, arrays, name, pointer).Write() : JsonTokens.AnyList);
        if (shape.Types.HasFlag(JsonTypes.Object))
        {
            if (shape.Objects is { } objects) bodies.Add(new ObjectWriter(this, objects, name, pointer).WriteBody());
            else choices.Add(JsonTokens.AnyObject);
        }
    }

    private GrammarNode Text(TextLimits? limits)
    {
        if (limits is null) return JsonTokens.AnyString;
        return Nodes.InOrder(JsonTokens.Quote, escapes.Of(limits.ToNode()), JsonTokens.Quote);
    }

    private GrammarNode Listed(ValueSet values, Shape shape, Goal goal)
    {
        if ((shape.Arrays is not null && values.Types.HasFlag(JsonTypes.Array)) || (shape.Objects is not null && values.Types.HasFlag(JsonTypes.Object)))
            throw new BadInputException(JsonSchemaReader.Origin, Where(goal), "expected enum or const of lists or objects without other keywords for these");
        return Nodes.OneOf([.. values.Items
            .Where(value => value.Type != JsonTypes.String || shape.Texts?.Accepts(value.Element.GetString()!) != false)
            .Select(value => ValueWriter.Write(value.Element, Tokens))]);
    }
}
