using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Grammars.Json;
using Quilt.Formats.Grammars.Notations;

namespace Quilt.Formats.Grammars.Tools;

/// <summary>
/// The value of a parameter between tags, so that a reply's parser (<see cref="ArgumentValue"/>) makes of it what the schema wants: strings stand as
/// they are, all else is JSON. A string that would be read as another type, or loses white space that its schema counts, is left out.
/// </summary>
internal sealed class TagValues(SchemaGrammar grammar, ParameterSyntax syntax, ArgumentRules rules)
{
    private static readonly CodePointSet Spaces = CodePointSet.Of([.. Enumerable.Range(0, 0x10000)
        .Where(c => Chat.Replies.Spaces.IsSpace((char)c)).Select(c => (c, c))]);

    private static readonly GrammarNode Space = new CodePoint(Spaces);
    private static readonly GrammarNode Gap = new Repeat(Space, 0, null);
    private static readonly GrammarNode LikeNull = Around("[nN][uU][lL][lL]|[nN]one|[nN][iI][lL]|[nN][oO][nN][eE]");
    private static readonly GrammarNode LikeNumber = new Repeat(Nodes.OneOf(Space, RegexReader.Read("[\\d+._eE-]")), 1, null);
    private static readonly GrammarNode LikeBoolean = Around(
        "[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[01]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF]");

    // Lists and objects are looked for by trying JSON, and Python's literals, which may be anything.
    private static readonly GrammarNode LikeJson = Nodes.OneOf(
        Nodes.InOrder(Gap, RegexReader.Read("[\\[{(\"0-9-]"), Nodes.AnyText), Around("true|false|null|True|False|None"));

    /// <summary>Values that meet a goal.</summary>
    /// <param name="goal">The schema.</param>
    /// <param name="types">What the parser will take the value for.</param>
    public GrammarNode Of(Goal goal, ValueTypes types)
    {
        var choices = new List<GrammarNode>();
        var shapes = grammar.Expand(goal);
        var plain = Plain(types);
        if (types.HasFlag(ValueTypes.String))
        {
            foreach (var shape in shapes)
            {
                if (shape.Types.HasFlag(JsonTypes.String)) choices.Add(Text(shape, types));
            }
        }
        else if (goal.Literals.IsEmpty) return Nodes.Both(Free());
        var others = shapes.Where(shape => (shape.Types & plain) != 0).Select(shape => (shape with { Types = shape.Types & plain }).Settle())
            .OfType<Shape>().ToList();
        if (others.Count > 0) choices.Add(grammar.Of(others, goal));
        return Nodes.OneOf([.. choices]);
    }

    // Types that are written as JSON and read as what they are.
    private static JsonTypes Plain(ValueTypes types)
    {
        var numbers = types.HasFlag(ValueTypes.Number) ? JsonTypes.Number : types.HasFlag(ValueTypes.Integer) ? JsonTypes.Integer : JsonTypes.None;
        // What is no string and no other type that is looked for is tried as JSON; 0 and 1 may be booleans.
        if (!types.HasFlag(ValueTypes.String))
            return numbers == JsonTypes.None && types.HasFlag(ValueTypes.Boolean) ? JsonTypes.Any & ~JsonTypes.Number : JsonTypes.Any;
        if (types.HasFlag(ValueTypes.Null)) numbers |= JsonTypes.Null;
        if (types.HasFlag(ValueTypes.Boolean)) numbers |= JsonTypes.Boolean;
        return (types & (ValueTypes.Object | ValueTypes.Array)) != 0 ? numbers | JsonTypes.Object | JsonTypes.Array : numbers;
    }

    private GrammarNode Text(Shape shape, ValueTypes types)
    {
        var demands = new List<GrammarNode>();
        var isNull = rules.NullAlways || rules.LegacyWords || types.HasFlag(ValueTypes.Null);
        if (isNull) demands.Add(new Not(LikeNull));
        if ((types & (ValueTypes.Integer | ValueTypes.Number)) != 0) demands.Add(new Not(LikeNumber));
        if (types.HasFlag(ValueTypes.Boolean)) demands.Add(new Not(LikeBoolean));
        if ((types & (ValueTypes.Object | ValueTypes.Array)) != 0) demands.Add(new Not(LikeJson));
        var isFree = shape is { Texts: null, Values: null };
        if (!isFree && rules.Edge == ValueEdge.Trimmed)
            demands.Add(new Not(Nodes.OneOf(Nodes.InOrder(Space, Nodes.AnyText), Nodes.InOrder(Nodes.AnyText, Space))));
        if (!isFree && rules.DecodeEntities) demands.Add(new Not(Nodes.InOrder(Nodes.AnyText, Nodes.Text("&"), Nodes.AnyText)));
        demands.Add(Free());
        if (shape.Texts is { } limits) demands.Add(limits.ToNode());
        if (shape.Values is not { } values) return Nodes.Both([.. demands]);
        return Nodes.OneOf([.. values.Items.Where(value => value.Type == JsonTypes.String).Select(value => value.Element.GetString()!)
            .Where(text => demands.TrueForAll(demand => RegularText.Matches(demand, text, grammar.Budget))).Select(Nodes.Text)]);
    }

    // Without what could end the value.
    private GrammarNode Free()
    {
        var ends = syntax.Marks.Select(Nodes.Text).ToList();
        if (syntax.Words.Length > 0)
        {
            ends.Add(Nodes.InOrder(Nodes.Text("<"), Gap, Nodes.Optional(Nodes.Text("/")), Gap, Nodes.OneOf([.. syntax.Words.Select(Nodes.Text)])));
        }
        return new Not(Nodes.InOrder(Nodes.AnyText, Nodes.OneOf([.. ends]), Nodes.AnyText));
    }

    /// <summary>What may stand in JSON's strings between such tags: nothing that could become one.</summary>
    public static GrammarNode Inside(ParameterSyntax syntax)
    {
        var hex = CodePointSet.Of(('0', '9'), ('a', 'f'), ('A', 'F'));
        var escape = Nodes.InOrder(Nodes.Text("\\"), Nodes.OneOf(
            Nodes.AnyOf("\"\\/bfnrt"), Nodes.InOrder(Nodes.Text("u"), new Repeat(new CodePoint(hex), 4, 4))));
        var raw = CodePointSet.Of((0x20, 0x10FFFF)).Except(CodePointSet.Of(('"', '"'), ('\\', '\\'), ('<', '<')));
        var unsafeOnes = Spaces.Union(CodePointSet.Of([.. syntax.Unsafe.Select(c => ((int)c, (int)c))]));
        // One that is an escape cannot be a tag's.
        var behind = Nodes.InOrder(new Repeat(Nodes.Text("<"), 1, null), new Repeat(new CodePoint(Spaces.Intersect(raw)), 0, null));
        var broken = Nodes.InOrder(new Repeat(behind, 1, null), Nodes.OneOf(new CodePoint(raw.Except(unsafeOnes)), escape));
        return Nodes.InOrder(new Repeat(Nodes.OneOf(new CodePoint(raw), escape, broken), 0, null), new Repeat(behind, 0, null));
    }

    private static GrammarNode Around(string pattern) => Nodes.InOrder(Gap, RegexReader.Read(pattern), Gap);
}
