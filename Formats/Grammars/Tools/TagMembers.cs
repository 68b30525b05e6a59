using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Grammars.Json;

namespace Quilt.Formats.Grammars.Tools;

/// <summary>The arguments of a call as parameters with a tag each.</summary>
/// <param name="words">The dialect's fixed texts.</param>
/// <param name="syntax">Its tags.</param>
/// <param name="values">Values between these.</param>
/// <param name="typesOf">What the parser takes a parameter for; null where no schema speaks of it.</param>
/// <param name="withoutSchema">What it takes such a one for.</param>
/// <param name="close">What stands behind the last.</param>
internal sealed class TagMembers(
    CallWords words, ParameterSyntax syntax, TagValues values, Func<string, ValueTypes?> typesOf, ValueTypes withoutSchema, GrammarNode close)
    : MemberForm
{
    private const int MaxName = 64;

    private static readonly GrammarNode PlainName = new Repeat(Nodes.OneOf(
        Nodes.Range('a', 'z'), Nodes.Range('A', 'Z'), Nodes.Range('0', '9'), Nodes.AnyOf("_-.")), 1, MaxName);

    public override GrammarNode Comma => GrammarNode.Nothing;

    public override GrammarNode Close => close;

    public override GrammarNode Known(string name, Goal goal) => IsPlain(name)
        ? Parameter(Nodes.Text(name), values.Of(goal, typesOf(name) ?? withoutSchema))
        : throw new BadInputException("tools", name, "expected a parameter's name without white space, quotes, =, < and >, since it stands in a tag");

    public override GrammarNode Other(GrammarNode? names, Goal goal) =>
        Parameter(names is null ? PlainName : Nodes.Both(PlainName, names), values.Of(goal, withoutSchema));

    private GrammarNode Parameter(GrammarNode name, GrammarNode value) => Nodes.IsNever(value) ? value
        : Nodes.InOrder(words.Of(syntax.Before, name), value, words.Of(syntax.After, name));

    private static bool IsPlain(string name) => name.Length > 0 && !name.Any(c => Spaces.IsSpace(c) || char.IsControl(c) || "\"'<>=".Contains(c));
}
