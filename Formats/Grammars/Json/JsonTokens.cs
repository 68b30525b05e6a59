using Quilt.Formats.Grammars.Notations;

namespace Quilt.Formats.Grammars.Json;

/// <summary>JSON's marks with the white space around them, and values that no schema speaks of.</summary>
internal sealed class JsonTokens
{
    private const string Value = "any value";
    private const string List = "any list";
    private const string Map = "any object";

    private readonly GrammarNode? inside;
    private readonly MatchBudget budget = new();

    /// <param name="options">How JSON is written.</param>
    /// <param name="inside">What may stand between the quotes of any string, where that is not all that JSON allows.</param>
    /// <param name="finite">Whether numbers are such that a double holds.</param>
    /// <exception cref="BadInputException">The pattern for white space is not one.</exception>
    public JsonTokens(JsonGrammarOptions options, GrammarNode? inside = null, bool finite = false)
    {
        (this.inside, IsFinite) = (inside, finite);
        AnyString = Nodes.InOrder(Quote, inside ?? EscapeNodes.AnyInside, Quote);
        // White space comes behind what it follows, so that at each place there is one reason for it.
        var space = options.WhitespacePattern is { } pattern ? RegexReader.Read(pattern, ascii: true, source: "whitespace_pattern")
            : options.DisableAnyWhitespace ? GrammarNode.Nothing
            : new Repeat(Nodes.AnyOf(" \t\r\n"), 0, JsonGrammarOptions.MaxWhiteSpace);
        var isFixed = options is { WhitespacePattern: null, DisableAnyWhitespace: true };
        Space = space;
        Comma = isFixed ? Nodes.Text(", ") : Nodes.InOrder(Nodes.Text(","), space);
        Colon = isFixed ? Nodes.Text(": ") : Nodes.InOrder(space, Nodes.Text(":"), space);
        OpenList = Nodes.InOrder(Nodes.Text("["), space);
        OpenObject = Nodes.InOrder(Nodes.Text("{"), space);
        var item = Nodes.InOrder(AnyValue, space);
        var member = Nodes.InOrder(AnyString, Colon, item);
        Rules = new(StringComparer.Ordinal)
        {
            [Value] = Nodes.OneOf(AnyString, finite ? NumberNodes.AnyFinite : NumberNodes.Any, True, False, Null, AnyList, AnyObject),
            [List] = Nodes.InOrder(OpenList, Some(item, 0, null), CloseList),
            [Map] = Nodes.InOrder(OpenObject, Some(member, 0, null), CloseObject),
        };
    }

    /// <summary>Rules for values that no schema speaks of.</summary>
    public Dictionary<string, GrammarNode> Rules { get; }

    public static GrammarNode Null { get; } = Nodes.Text("null");

    public static GrammarNode True { get; } = Nodes.Text("true");

    public static GrammarNode False { get; } = Nodes.Text("false");

    public static GrammarNode CloseList { get; } = Nodes.Text("]");

    public static GrammarNode CloseObject { get; } = Nodes.Text("}");

    public static GrammarNode Quote { get; } = Nodes.Text("\"");

    /// <summary>Any string, quotes and all.</summary>
    public GrammarNode AnyString { get; }

    /// <summary>Whether numbers are such that a double holds.</summary>
    public bool IsFinite { get; }

    public static GrammarNode AnyValue { get; } = new RuleReference(Value);

    public static GrammarNode AnyList { get; } = new RuleReference(List);

    public static GrammarNode AnyObject { get; } = new RuleReference(Map);

    /// <summary>What stands inside a string's quotes, as far as it may.</summary>
    public GrammarNode Restrict(GrammarNode texts) => inside is null ? texts : Nodes.Both(texts, inside);

    /// <summary>A string, with its quotes, that a schema writes down; <see cref="GrammarNode.Never"/> where it may not stand here.</summary>
    public GrammarNode Listed(string quoted) =>
        inside is null || !quoted.Contains('<') || RegularText.Matches(inside, quoted[1..^1], budget) ? Nodes.Text(quoted) : GrammarNode.Never;

    /// <summary>White space between two tokens.</summary>
    public GrammarNode Space { get; }

    /// <summary>A comma and the white space behind it; that before it belongs to the value.</summary>
    public GrammarNode Comma { get; }

    /// <summary>A colon and the white space around it.</summary>
    public GrammarNode Colon { get; }

    /// <summary>A bracket and the white space behind it.</summary>
    public GrammarNode OpenList { get; }

    /// <summary>A brace and the white space behind it.</summary>
    public GrammarNode OpenObject { get; }

    /// <summary>Items with commas between them; each item brings the white space behind it.</summary>
    public GrammarNode Some(GrammarNode item, int least, int? most)
    {
        if (most == 0 || most < least) return least == 0 ? GrammarNode.Nothing : GrammarNode.Never;
        var some = Nodes.InOrder(item, Nodes.Times(Nodes.InOrder(Comma, item), Math.Max(0, least - 1), most - 1));
        return least == 0 ? Nodes.Optional(some) : some;
    }
}
