using Quilt.Formats.Tokenizers.Patterns;

namespace Quilt.Formats.Tokenizers.Splitting;

/// <summary>A step of pre-tokenization: cuts a text into pieces, which the next step cuts further. Immutable.</summary>
internal abstract class Splitter
{
    /// <summary>Adds the pieces of a text, from left to right, as byte ranges.</summary>
    public abstract void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces);
}

/// <summary>Memory reused by splitters from text to text.</summary>
internal sealed class SplitScratch
{
    public MatchScratch Matching { get; } = new();

    public List<(int Start, int End)> Matches { get; } = [];
}

/// <summary>Splits at the matches of a pattern ("Split" with a Regex, and ByteLevel's own).</summary>
internal sealed class PatternSplitter(Pattern pattern, SplitBehavior behavior, bool invert) : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces)
    {
        scratch.Matches.Clear();
        pattern.FindAll(text, scratch.Matching, scratch.Matches);
        SplitBehaviors.Cut(scratch.Matches, text.Length, behavior, invert, pieces);
    }
}

/// <summary>Splits at a fixed text ("Split" with a String). An empty one splits nothing.</summary>
internal sealed class LiteralSplitter(byte[] literal, SplitBehavior behavior, bool invert) : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces)
    {
        scratch.Matches.Clear();
        for (var at = 0; literal.Length > 0 && text[at..].IndexOf(literal) is >= 0 and var skip; at += skip + literal.Length)
            scratch.Matches.Add((at + skip, at + skip + literal.Length));
        SplitBehaviors.Cut(scratch.Matches, text.Length, behavior, invert, pieces);
    }
}
