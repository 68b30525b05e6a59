using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Splitting;

/// <summary>A step of pre-tokenization: a <see cref="Splitter"/> or a <see cref="Rewriter"/>.</summary>
internal abstract class PreTokenizerStep;

/// <summary>Cuts a text into pieces, which the next step cuts further. Immutable.</summary>
internal abstract class Splitter : PreTokenizerStep
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

/// <summary>Splits at a fixed text that is not empty ("Split" with a String, and Metaspace's own).</summary>
internal sealed class LiteralSplitter(byte[] literal, SplitBehavior behavior, bool invert) : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces)
    {
        scratch.Matches.Clear();
        for (var at = 0; text[at..].IndexOf(literal) is >= 0 and var skip; at += skip + literal.Length)
            scratch.Matches.Add((at + skip, at + skip + literal.Length));
        SplitBehaviors.Cut(scratch.Matches, text.Length, behavior, invert, pieces);
    }
}

/// <summary>Splits at the code points of a set: white space, punctuation, digits, or one delimiter.</summary>
internal sealed class SetSplitter(CodePointSet set, SplitBehavior behavior) : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces)
    {
        scratch.Matches.Clear();
        for (var at = 0; at < text.Length;)
        {
            if (set.Contains(CodePoints.Read(text, at, out var length))) scratch.Matches.Add((at, at + length));
            at += length;
        }
        SplitBehaviors.Cut(scratch.Matches, text.Length, behavior, invert: false, pieces);
    }
}

/// <summary>
/// "UnicodeScripts": splits where the script changes. What stands before the first character of any script is lost, as in the library.
/// </summary>
internal sealed class ScriptSplitter : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces)
    {
        int start = -1, last = 0;
        for (var at = 0; at < text.Length;)
        {
            var script = OlderClasses.Script(CodePoints.Read(text, at, out var length));
            if (script != 0 && script != last)
            {
                if (start >= 0) pieces.Add((start, at));
                (start, last) = (at, script);
            }
            at += length;
        }
        if (start >= 0) pieces.Add((start, text.Length));
    }
}

/// <summary>"FixedLength": pieces of so many code points.</summary>
internal sealed class LengthSplitter(int codePoints) : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, SplitScratch scratch, List<(int Start, int End)> pieces)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            for (var i = 0; i < codePoints && end < text.Length; i++)
            {
                CodePoints.Read(text, end, out var length);
                end += length;
            }
            pieces.Add((start, end));
            start = end;
        }
    }
}
