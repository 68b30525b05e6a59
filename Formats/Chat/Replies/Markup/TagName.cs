using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads the rest of a tag behind <c>name=</c>, or <c>=</c>: the name, quoted either way or bare, then, where the dialect has them, attributes that
/// mean nothing, up to '&gt;'. A quote left open around the name ends at the tag; in later attributes a quoted '&gt;' does not end it. What runs over
/// a line break in its name, or into another tag, is no tag.
/// </summary>
internal sealed class TagName(bool hasAttributes)
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

    /// <summary>The next character.</summary>
    public TagState Next(char c)
    {
        if (c == '>' && part != Part.BehindQuoted) return TagState.Done;
        if (c == '<' && part != Part.BehindQuoted) return TagState.None;
        if (c is '\n' or '\r' && part < Part.Behind) return TagState.None;
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
            case Part.Behind when !hasAttributes && !Spaces.IsSpace(c):
                return TagState.None;
            case Part.Behind when c is '"' or '\'':
                (part, quote) = (Part.BehindQuoted, c);
                break;
        }
        return TagState.Open;
    }

    /// <summary>The name, as far as it was read, trimmed; empty where there is none. An equals sign at its end is a slip of the pen.</summary>
    public override string ToString() => name.ToString().Trim().TrimEnd('=');
}

/// <summary>How far a tag was read.</summary>
internal enum TagState
{
    Open,
    Done,

    /// <summary>It is no tag, and the last character is none of it.</summary>
    None,
}
