namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Compares text, a character at a time, with a few markers at once. No marker holds, behind its first character, a character with which any of the
/// dialect's markers begins, so that a comparison that failed never has to go back further than its last character. In a pattern <c>*</c> is any
/// white space or none, a blank is one character of white space; a pattern that ends in <c>=</c> begins a tag with a name.
/// </summary>
internal sealed class MarkerMatcher(params (Marker Marker, string Pattern)[] patterns)
{
    private readonly int[] at = new int[patterns.Length];    // how much of each pattern is matched; −1: not this one

    /// <summary>A marker's first character was seen.</summary>
    public void Begin(char c)
    {
        for (var i = 0; i < patterns.Length; i++) at[i] = patterns[i].Pattern[0] == c ? 1 : -1;
    }

    /// <summary>The next character. True while it may become a marker, and once it is one: then <paramref name="found"/> is set.</summary>
    public bool Next(char c, out FoundMarker? found)
    {
        found = null;
        var isSpace = Spaces.IsSpace(c);
        var alive = false;
        for (var i = 0; i < patterns.Length; i++)
        {
            if (at[i] < 0) continue;
            var pattern = patterns[i].Pattern;
            if (pattern[at[i]] == '*')
            {
                if (isSpace)
                {
                    alive = true;
                    continue;
                }
                at[i]++;
            }
            var wanted = pattern[at[i]];
            at[i] = (wanted == ' ' ? isSpace : wanted == c) ? at[i] + 1 : -1;
            if (at[i] < 0) continue;
            alive = true;
            if (at[i] < pattern.Length) continue;
            found = new(patterns[i].Marker, wanted == '=');
            return true;
        }
        return alive;
    }
}

/// <summary>A marker that was met.</summary>
/// <param name="Marker">Which.</param>
/// <param name="IsNamed">Whether a name and the end of the tag follow.</param>
internal readonly record struct FoundMarker(Marker Marker, bool IsNamed);

/// <summary>What stands at a place in a reply, in any dialect with markers.</summary>
internal enum Marker
{
    BeginThinking,

    /// <summary>Of thinking; in text it means nothing and is none of it.</summary>
    EndThinking,

    /// <summary>Around the answer: never part of the text.</summary>
    Frame,

    BeginCalls,
    EndCalls,
    BeginCall,
    EndCall,

    /// <summary>Between the parts of a call's head.</summary>
    Separator,

    BeginParameter,
    EndParameter,

    /// <summary>A tag that belongs elsewhere in a call.</summary>
    Stray,
}
