namespace Quilt.Cluster.Routing;

/// <summary>
/// Characters as the routers count them whose rules are followed: code points, not UTF-16 units. A surrogate without its other half counts as one.
/// </summary>
internal static class CodePoints
{
    /// <summary>How many there are.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i])) count--;
        }
        return count;
    }

    /// <summary>Units that the first <paramref name="count"/> of them take; all, where there are fewer.</summary>
    public static int Units(ReadOnlySpan<char> text, int count)
    {
        var at = 0;
        for (; count > 0 && at < text.Length; count--)
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return at;
    }

    /// <summary>The first one.</summary>
    public static int First(ReadOnlySpan<char> text) =>
        text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? char.ConvertToUtf32(text[0], text[1]) : text[0];

    /// <summary>Units that two texts have in common at their start, no pair cut in two.</summary>
    public static int Common(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var common = a.CommonPrefixLength(b);
        var isCut = common > 0 && char.IsHighSurrogate(a[common - 1]) && (IsPaired(a, common) || IsPaired(b, common));
        return isCut ? common - 1 : common;
    }

    private static bool IsPaired(ReadOnlySpan<char> text, int at) => at < text.Length && char.IsLowSurrogate(text[at]);
}
