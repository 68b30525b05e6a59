namespace Quilt.Formats.Grammars.Json;

/// <summary>How the properties of an object are written, one after another.</summary>
internal abstract class MemberForm
{
    /// <summary>What stands between two.</summary>
    public abstract GrammarNode Comma { get; }

    /// <summary>What stands behind the last, or where there is none.</summary>
    public abstract GrammarNode Close { get; }

    /// <summary>A property of this name; <see cref="GrammarNode.Never"/> where it cannot be written.</summary>
    public abstract GrammarNode Known(string name, Goal goal);

    /// <summary>Properties with names that no schema lists.</summary>
    /// <param name="names">Their names as a regular node; null: any.</param>
    /// <param name="goal">What the value has to meet.</param>
    public abstract GrammarNode Other(GrammarNode? names, Goal goal);
}

/// <summary>Properties as JSON writes them, each with the white space behind it.</summary>
internal sealed class JsonMembers(SchemaGrammar grammar) : MemberForm
{
    private readonly JsonTokens tokens = grammar.Tokens;

    public override GrammarNode Comma => tokens.Comma;

    public override GrammarNode Close => JsonTokens.CloseObject;

    public override GrammarNode Known(string name, Goal goal) => Member(tokens.Listed(ValueWriter.Quoted(name)), goal);

    public override GrammarNode Other(GrammarNode? names, Goal goal) => Member(names is null
        ? tokens.AnyString
        : Nodes.InOrder(JsonTokens.Quote, tokens.Restrict(grammar.NameEscapes.Of(names)), JsonTokens.Quote), goal);

    private GrammarNode Member(GrammarNode quoted, Goal goal) => Nodes.InOrder(quoted, tokens.Colon, grammar.Of(goal), tokens.Space);
}
