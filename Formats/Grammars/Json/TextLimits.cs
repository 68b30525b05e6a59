using System.Collections.Immutable;
using System.Text;

namespace Quilt.Formats.Grammars.Json;

/// <summary>What texts may be, before they are written as JSON.</summary>
/// <param name="LeastLength">Code points, at least.</param>
/// <param name="MostLength">At most; null: no bound.</param>
/// <param name="Forms">Regular nodes that each take the whole text.</param>
internal sealed record TextLimits(int LeastLength, int? MostLength, ImmutableArray<GrammarNode> Forms)
{
    public bool IsEmpty => MostLength < LeastLength;

    public TextLimits Merge(TextLimits other) => new(
        Math.Max(LeastLength, other.LeastLength),
        MostLength is null ? other.MostLength : other.MostLength is { } most ? Math.Min(most, MostLength.Value) : MostLength,
        [.. Forms, .. other.Forms.Where(form => !Forms.Contains(form))]);

    public bool AcceptsLength(string text)
    {
        var length = text.EnumerateRunes().Count();
        return length >= LeastLength && !(length > MostLength);
    }

    /// <summary>Whether a text fits.</summary>
    /// <exception cref="BadInputException">The budget is spent.</exception>
    public bool Accepts(string text, MatchBudget budget) => AcceptsLength(text) && Forms.All(form => RegularText.Matches(form, text, budget));

    /// <summary>All such texts, as a regular node.</summary>
    public GrammarNode ToNode()
    {
        var any = new CodePoint(CodePointSet.Any);
        if (Forms.IsEmpty) return Nodes.Times(any, LeastLength, MostLength);
        return LeastLength == 0 && MostLength is null
            ? Nodes.Both(Forms.AsSpan())
            : Nodes.Both([.. Forms, Nodes.Times(any, LeastLength, MostLength)]);
    }
}
