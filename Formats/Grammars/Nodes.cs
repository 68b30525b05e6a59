using System.Collections.Immutable;
using System.Text;

namespace Quilt.Formats.Grammars;

/// <summary>Short ways to write grammar nodes, without needless nesting.</summary>
internal static class Nodes
{
    /// <summary>One ASCII digit.</summary>
    public static GrammarNode Digit { get; } = Range('0', '9');

    /// <summary>A text, as its UTF-8; half a surrogate pair becomes U+FFFD.</summary>
    public static GrammarNode Text(string text) => text.Length == 0 ? GrammarNode.Nothing : new Literal([.. Encoding.UTF8.GetBytes(text)]);

    /// <summary>One code point of a range.</summary>
    public static GrammarNode Range(int first, int last) => new CodePoint(CodePointSet.Of((first, last)));

    /// <summary>One of the characters of a text.</summary>
    public static GrammarNode AnyOf(string characters)
    {
        var ranges = new List<(int, int)>();
        foreach (var rune in characters.EnumerateRunes()) ranges.Add((rune.Value, rune.Value));
        return new CodePoint(CodePointSet.Of([.. ranges]));
    }

    /// <summary>All of these in order.</summary>
    public static GrammarNode InOrder(params ReadOnlySpan<GrammarNode> items)
    {
        var flat = ImmutableArray.CreateBuilder<GrammarNode>(items.Length);
        foreach (var item in items)
        {
            if (IsNever(item)) return GrammarNode.Never;
            if (item is Sequence sequence) flat.AddRange(sequence.Items);
            else flat.Add(item);
        }
        return flat.Count == 1 ? flat[0] : flat.Count == 0 ? GrammarNode.Nothing : new Sequence(flat.ToImmutable());
    }

    /// <summary>One of these.</summary>
    public static GrammarNode OneOf(params ReadOnlySpan<GrammarNode> items)
    {
        var possible = ImmutableArray.CreateBuilder<GrammarNode>(items.Length);
        foreach (var item in items)
        {
            if (item is Choice choice) possible.AddRange(choice.Items);
            else possible.Add(item);
        }
        return possible.Count == 1 ? possible[0] : possible.Count == 0 ? GrammarNode.Never : new Choice(possible.ToImmutable());
    }

    /// <summary>Texts that all of these regular nodes take; of none: any text.</summary>
    public static GrammarNode Both(params ReadOnlySpan<GrammarNode> items)
    {
        foreach (var item in items)
        {
            if (IsNever(item)) return GrammarNode.Never;
        }
        return items.Length switch { 0 => AnyText, 1 => items[0], _ => new All([.. items]) };
    }

    /// <summary>Any text.</summary>
    public static GrammarNode AnyText { get; } = new Repeat(new CodePoint(CodePointSet.Any), 0, null);

    /// <summary>A node or nothing.</summary>
    public static GrammarNode Optional(GrammarNode item) => new Repeat(item, 0, 1);

    /// <summary>A node <paramref name="least"/> to <paramref name="most"/> times.</summary>
    public static GrammarNode Times(GrammarNode item, int least, int? most)
    {
        if (most < least || (least > 0 && IsNever(item))) return GrammarNode.Never;
        if (most == 0 || IsNever(item)) return GrammarNode.Nothing;
        return least == 1 && most == 1 ? item : new Repeat(item, least, most);
    }

    /// <summary>Whether a node says of itself that it takes no text.</summary>
    public static bool IsNever(GrammarNode node) => node is Choice { Items.IsEmpty: true };
}
