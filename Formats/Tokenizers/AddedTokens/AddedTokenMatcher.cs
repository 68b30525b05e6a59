using System.Buffers;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.AddedTokens;

/// <summary>Finds added tokens in a text: the leftmost, and of those at one place the longest. Immutable.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly ByteTrie trie = new();
    private readonly SearchValues<byte> firstBytes;
    private readonly (AddedToken Token, int Id, bool Special)[] entries;

    /// <param name="entries">The bytes to look for (not empty), and what they are. Of two with the same bytes the first one counts.</param>
    public AddedTokenMatcher(IReadOnlyList<(byte[] Bytes, AddedToken Token, int Id, bool Special)> entries)
    {
        this.entries = [.. entries.Select(entry => (entry.Token, entry.Id, entry.Special))];
        for (var i = 0; i < entries.Count; i++) trie.Add(entries[i].Bytes, i, keep: true);
        firstBytes = SearchValues.Create([.. entries.Select(entry => entry.Bytes[0]).Distinct()]);
    }

    /// <summary>Cuts a text into tokens and the gaps between them (id -1), as byte ranges. Nothing is added for an empty text.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="plainSpecial">Whether special tokens written in the text are ordinary text.</param>
    /// <param name="parts">Where the parts are added.</param>
    public void Cut(ReadOnlySpan<byte> text, bool plainSpecial, List<(int Id, int Start, int End)> parts)
    {
        int done = 0, at = 0;
        while (Next(text, at, out var start, out var end, out var entry))
        {
            at = end;
            var (token, id, special) = entries[entry];
            if (plainSpecial && special) continue;
            if (token.SingleWord && !IsAlone(text, start, end)) continue;
            if (token.StripLeft) start = Math.Max(SpaceBefore(text, start, done), done);
            if (token.StripRight) end = SpaceAfter(text, end);
            if (done < start) parts.Add((-1, done, start));
            parts.Add((id, start, end));
            // The search goes on behind the token itself: one that starts in the space taken along is found too, as in the library.
            done = end;
        }
        if (done != text.Length) parts.Add((-1, done, text.Length));
    }

    private bool Next(ReadOnlySpan<byte> text, int from, out int start, out int end, out int entry)
    {
        entry = -1;
        end = 0;
        for (start = from; ; start++)
        {
            var skip = text[start..].IndexOfAny(firstBytes);
            if (skip < 0) return false;
            start += skip;
            var node = ByteTrie.Root;
            for (var i = start; i < text.Length && (node = trie.Step(node, text[i])) >= 0; i++)
                if (trie.Value(node) is >= 0 and var found) (entry, end) = (found, i + 1);
            if (entry >= 0) return true;
        }
    }

    private static bool IsAlone(ReadOnlySpan<byte> text, int start, int end)
    {
        var word = UnicodeClasses.RustWord;
        return (start == 0 || !word.Contains(CodePoints.Read(text, CodePoints.Before(text, start), out _)))
            && (end == text.Length || !word.Contains(CodePoints.Read(text, end, out _)));
    }

    private static int SpaceBefore(ReadOnlySpan<byte> text, int start, int limit)
    {
        while (start > limit)
        {
            var before = CodePoints.Before(text, start);
            if (!UnicodeClasses.Space.Contains(CodePoints.Read(text, before, out _))) break;
            start = before;
        }
        return start;
    }

    private static int SpaceAfter(ReadOnlySpan<byte> text, int end)
    {
        while (end < text.Length && UnicodeClasses.Space.Contains(CodePoints.Read(text, end, out var length))) end += length;
        return end;
    }
}
