using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>Places without width, as Oniguruma's Ruby syntax has them: ^ and $ hold at every line.</summary>
internal static class Anchors
{
    public static bool Holds(Anchor anchor, ReadOnlySpan<byte> text, int at) => anchor switch
    {
        Anchor.TextStart => at == 0,
        Anchor.TextEnd => at == text.Length,
        Anchor.TextEndOrLastNewline => at == text.Length || at == text.Length - 1 && text[at] == '\n',
        Anchor.LineStart => at == 0 || text[at - 1] == '\n' && at < text.Length,
        Anchor.LineEnd => at == text.Length || text[at] == '\n',
        Anchor.WordBoundary => WordBefore(text, at) != WordAfter(text, at),
        _ => WordBefore(text, at) == WordAfter(text, at),
    };

    private static bool WordBefore(ReadOnlySpan<byte> text, int at) =>
        at > 0 && UnicodeClasses.Word.Contains(CodePoints.Read(text, CodePoints.Before(text, at), out _));

    private static bool WordAfter(ReadOnlySpan<byte> text, int at) =>
        at < text.Length && UnicodeClasses.Word.Contains(CodePoints.Read(text, at, out _));
}
