using System.Collections.Immutable;

namespace Quilt.Formats.Grammars;

/// <summary>
/// One node of a grammar over the bytes of UTF-8 text, in which a special token stands as itself (<see cref="SpecialToken"/>). Immutable; it may be
/// shared between grammars. <see cref="All"/> and <see cref="Not"/> take regular nodes only: none that reaches a <see cref="RuleReference"/>.
/// </summary>
internal abstract record GrammarNode
{
    /// <summary>The empty text.</summary>
    public static GrammarNode Nothing { get; } = new Sequence([]);

    /// <summary>No text at all.</summary>
    public static GrammarNode Never { get; } = new Choice([]);
}

/// <summary>These bytes.</summary>
internal sealed record Literal(ImmutableArray<byte> Bytes) : GrammarNode;

/// <summary>One code point of a set, as its UTF-8.</summary>
internal sealed record CodePoint(CodePointSet Set) : GrammarNode;

/// <summary>All of these, in order; of none: the empty text.</summary>
internal sealed record Sequence(ImmutableArray<GrammarNode> Items) : GrammarNode;

/// <summary>One of these; of none: no text.</summary>
internal sealed record Choice(ImmutableArray<GrammarNode> Items) : GrammarNode;

/// <summary><paramref name="Least"/> to <paramref name="Most"/> times, null: without end. Counted, never unrolled.</summary>
internal sealed record Repeat(GrammarNode Item, int Least, int? Most) : GrammarNode;

/// <summary>Texts that all of these regular nodes take.</summary>
internal sealed record All(ImmutableArray<GrammarNode> Items) : GrammarNode;

/// <summary>Well-formed UTF-8 texts that a regular node does not take.</summary>
internal sealed record Not(GrammarNode Item) : GrammarNode;

/// <summary>A rule of the grammar, by name.</summary>
internal sealed record RuleReference(string Name) : GrammarNode;

/// <summary>A special token of the tokenizer, by its content; never its text in other tokens.</summary>
internal sealed record SpecialToken(string Content) : GrammarNode;

/// <summary>Rules by name, and the node that a whole text is.</summary>
internal sealed record GrammarRules(GrammarNode Root, IReadOnlyDictionary<string, GrammarNode> Rules);
