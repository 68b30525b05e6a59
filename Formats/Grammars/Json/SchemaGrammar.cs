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
    private readonly JsonMembers members;
    private readonly string prefix;

    /// <param name="document">The schema.</param>
    /// <param name="options">How JSON is written.</param>
    /// <param name="tokens">JSON's marks; its rules take those of the schema.</param>
    /// <param name="prefix">Before the names of rules, so that several schemas may share them.</param>
    public SchemaGrammar(SchemaDocument document, JsonGrammarOptions options, JsonTokens tokens, string prefix = "")
    {
        (this.document, this.options, this.prefix) = (document, options, prefix);
        expansion = new(document);
        Tokens = tokens;
        Rules = Tokens.Rules;
        members = new JsonMembers(this);
    }

    public JsonTokens Tokens { get; }

    /// <summary>For what the schema writes down and holds to patterns.</summary>
    public MatchBudget Budget => document.Budget;

    public Dictionary<string, GrammarNode> Rules { get; }

    /// <summary>Whether objects have no properties but those that are named.</summary>
    public bool IsClosed => options.DisableAdditionalProperties;

    /// <summary>Spells names that a schema does not write down.</summary>
    public EscapeNodes NameEscapes { get; } = new(all: false);

    /// <summary>Writes the rules that were referred to so far.</summary>
    public void Finish()
    {
        while (open.TryDequeue(out var next))
        {
            Rules[next.Name] = Write(Expand(next.Goal), next.Name, next.Goal);
            if (Rules.Count > MaxRules) throw new BadInputException(JsonSchemaReader.Origin, null, $"expected at most {MaxRules} rules");
        }
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
            open.Enqueue((Name(goal), goal));
            node = new RuleReference(Name(goal));
        }
        else node = Write(shapes, Name(goal), goal);
        return nodesByGoal[goal.Key] = node;
    }

    /// <summary>Where a goal's first schema stands.</summary>
    public string Where(Goal goal) => goal.Literals.IsEmpty ? "#" : document[goal.Literals[0] / 2].Pointer;

    /// <summary>Values of some shapes.</summary>
    public GrammarNode Of(IReadOnlyList<Shape> shapes, Goal goal) => Write(shapes, $"{Name(goal)} in part {Rules.Count}", goal);

    /// <summary>Objects that meet a goal, with properties in a form of their own.</summary>
    public GrammarNode Of(Goal goal, MemberForm form)
    {
        var choices = new List<GrammarNode>();
        foreach (var shape in Expand(goal))
        {
            if (!shape.Types.HasFlag(JsonTypes.Object)) continue;
            Require(shape);
            if (shape.Values is not null)
                throw new BadInputException(JsonSchemaReader.Origin, Where(goal), "expected no enum or const of whole objects");
            choices.Add(new ObjectWriter(this, shape.Objects ?? ObjectLimits.Any, form, $"{Name(goal)} {choices.Count}", Where(goal)).WriteBody());
        }
        return Nodes.OneOf([.. choices]);
    }

    private string Name(Goal goal) => $"{prefix}{Where(goal)} ({goal.Key})";

    private static void Require(Shape shape)
    {
        if (shape.Obstacles.FirstOrDefault(obstacle => (obstacle.Types & shape.Types) != 0) is { } obstacle)
            throw new BadInputException(JsonSchemaReader.Origin, obstacle.Pointer, obstacle.Reason);
    }

    private GrammarNode Write(IReadOnlyList<Shape> shapes, string name, Goal goal)
    {
        var (choices, bodies) = (new List<GrammarNode>(), new List<GrammarNode>());
        foreach (var shape in shapes)
        {
            Require(shape);
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
        if ((shape.Types & JsonTypes.Number) != 0) choices.Add(Number(shape, pointer));
        if (shape.Types.HasFlag(JsonTypes.String)) choices.Add(Text(shape.Texts));
        if (shape.Types.HasFlag(JsonTypes.Array))
            choices.Add(shape.Arrays is { } arrays ? new ArrayWriter(this, arrays, name, pointer).Write() : JsonTokens.AnyList);
        if (shape.Types.HasFlag(JsonTypes.Object))
        {
            if (shape.Objects is { } objects) bodies.Add(new ObjectWriter(this, objects, members, name, pointer).WriteBody());
            else choices.Add(JsonTokens.AnyObject);
        }
    }

    private GrammarNode Number(Shape shape, string pointer) => Tokens.IsFinite
        ? NumberNodes.OfDoubles(shape.Types, shape.Numbers, pointer, Rules)
        : NumberNodes.Of(shape.Types, shape.Numbers, pointer, Rules);

    private GrammarNode Text(TextLimits? limits) => limits is null
        ? Tokens.AnyString
        : Nodes.InOrder(JsonTokens.Quote, Tokens.Restrict(escapes.Of(limits.ToNode())), JsonTokens.Quote);

    private GrammarNode Listed(ValueSet values, Shape shape, Goal goal)
    {
        if ((shape.Arrays is not null && values.Types.HasFlag(JsonTypes.Array))
            || (shape.Objects is not null && values.Types.HasFlag(JsonTypes.Object)))
        {
            throw new BadInputException(JsonSchemaReader.Origin, Where(goal),
                "expected enum or const of lists or objects without other keywords for these");
        }
        return Nodes.OneOf([.. values.Items
            .Where(value => value.Type != JsonTypes.String || shape.Texts?.Accepts(value.Element.GetString()!, Budget) != false)
            .Select(value => ValueWriter.Write(value.Element, Tokens))]);
    }
}
