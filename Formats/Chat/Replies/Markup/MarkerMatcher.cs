namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Compares text, a character at a time, with a few markers at once. Every marker begins with the same character and has no other one, so that a
/// comparison that failed never has to go back further than its last character. In a pattern <c>*</c> is any white space or none, a blank is one
/// character of white space.
/// </summary>
internal sealed class MarkerMatcher(params (Marker Marker, string Pattern)[] patterns)
{
    private readonly int[] at = new int[patterns.Length];    // how much of each pattern is matched; −1: not this one

    /// <summary>Their first character was seen.</summary>
    public void Begin() => Array.Fill(at, 1);

    /// <summary>The next character. True while it may become a marker, and once it is one: then <paramref name="found"/> is set.</summary>
    public bool Next(char c, out Marker? found)
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
            found = patterns[i].Marker;
            return true;
        }
        return alive;
    }
}

/// <summary>What stands at a place in a reply, in any dialect with markers.</summary>
internal enum Marker
{
    BeginThinking,
    EndThinking,
    BeginCalls,
    EndCalls,
    BeginCall,
    EndCall,

    /// <summary>Between the parts of a call's head.</summary>
    Separator,

    BeginParameter,
    EndParameter,
}
