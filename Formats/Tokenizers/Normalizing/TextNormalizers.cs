using Quilt.Formats.Tokenizers.Bpe;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Normalizing;

/// <summary>"Strip": takes white space off the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        int start = 0, end = text.Length;
        while (left && start < end && UnicodeClasses.Space.Contains(CodePoints.Read(text, start, out var length))) start += length;
        while (right && end > start && CodePoints.Before(text, end) is var before
            && UnicodeClasses.Space.Contains(CodePoints.Read(text, before, out _))) end = before;
        if (start == 0 && end == text.Length) return false;
        opens &= start == 0;
        into.Add(text[start..end]);
        return true;
    }
}

/// <summary>"Prepend": puts a text before one that is not empty.</summary>
internal sealed class PrependNormalizer(byte[] prefix) : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        into.Add(prefix);
        into.Add(text);
        return true;
    }
}

/// <summary>"Replace" with a fixed text to look for, which is not empty.</summary>
internal sealed class LiteralReplacer(byte[] literal, byte[] content) : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        var next = text.IndexOf(literal);
        if (next < 0) return false;
        if (next == 0) opens &= PatternReplacer.KeepsStart(literal, content);
        for (; next >= 0; next = text.IndexOf(literal))
        {
            into.Add(text[..next]);
            into.Add(content);
            text = text[(next + literal.Length)..];
        }
        into.Add(text);
        return true;
    }
}

/// <summary>"Replace" with a pattern to look for.</summary>
internal sealed class PatternReplacer(Pattern pattern, byte[] content) : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        scratch.Matches.Clear();
        pattern.FindAll(text, scratch.Matching, scratch.Matches);
        if (scratch.Matches.Count == 0) return false;
        var done = 0;
        foreach (var (start, end) in scratch.Matches)
        {
            if (start == 0 && end > 0) opens &= KeepsStart(text[..end], content);
            into.Add(text[done..start]);
            into.Add(content);
            done = end;
        }
        into.Add(text[done..]);
        return true;
    }

    /// <summary>The library lets a replacement stand where the last character that it replaces stood.</summary>
    public static bool KeepsStart(ReadOnlySpan<byte> match, ReadOnlySpan<byte> content) =>
        content.Length > 0 && CodePoints.Before(match, match.Length) == 0;
}

/// <summary>"ByteLevel" as a normalizer: every byte becomes its character of the byte alphabet.</summary>
internal sealed class ByteAlphabetNormalizer : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        foreach (var value in text) into.AddCodePoint(ByteAlphabet.Char(value));
        return true;
    }
}
