using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads the rest of a tag behind <c>name=</c>: the name, quoted either way or bare, then attributes that mean nothing, up to '&gt;'. A quote left
/// open around the name ends at the tag; in later attributes a quoted '&gt;' does not end it.
/// </summary>
internal sealed class TagName
{
    private readonly StringBuilder name = new();
    private Part part;
    private char quote;

    private enum Part
    {
        Before,
        Quoted,
        Bare,
        Behind,
        BehindQuoted,
    }

    public void Begin()
    {
        name.Clear();
        part = Part.Before;
    }

    /// <summary>The next character; true once the tag is over.</summary>
    public bool Next(char c)
    {
        if (c == '>' && part != Part.BehindQuoted) return true;
        switch (part)
        {
            case Part.Before when c is '"' or '\'':
                (part, quote) = (Part.Quoted, c);
                break;
            case Part.Before when !Spaces.IsSpace(c):
                part = Part.Bare;
                name.Append(c);
                break;
            case Part.Quoted when c == quote:
            case Part.Bare when Spaces.IsSpace(c):
            case Part.BehindQuoted when c == quote:
                part = Part.Behind;
                break;
            case Part.Quoted or Part.Bare:
                name.Append(c);
                break;
            case Part.Behind when c is '"' or '\'':
                (part, quote) = (Part.BehindQuoted, c);
                break;
        }
        return false;
    }

    /// <summary>The name, trimmed; empty where there is none.</summary>
    public override string ToString() => name.ToString().Trim();
}
