namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Follows text to know whether it is inside a fenced example: behind three or more backticks or tildes at a line's start, up to as many at the start
/// of a line of their own, as CommonMark has it; or behind three or more backticks in a line, up to as many. Copies go their own ways.
/// </summary>
internal struct CodeFences
{
    private const int Least = 3;
    private char fence;                                      // of the open example; 0: none is open
    private int length;                                      // of its fence
    private bool isInLine;                                   // the example began inside a line
    private bool isFirstLine;                                // of the example
    private bool isClosing;                                  // its last fence was met, and blanks at most
    private char run;                                        // the characters just read; 0: none of a fence
    private int runLength;
    private bool runBegins;                                  // they stand where a fence may begin an example,
    private bool runEnds;                                    // or where it may end one
    private bool isLineText;                                 // the line holds more than what may stand before a fence
    private bool isLineMarked;                               // of this, more than may stand before the last one
    private bool isLineBlank;

    /// <summary>Whether what follows is inside an example.</summary>
    public readonly bool IsOpen
    {
        get
        {
            var ended = this;
            ended.EndRun();
            return ended.fence != 0 && !ended.isClosing;
        }
    }

    public void Follow(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c is '`' or '~' && (runLength == 0 || c == run))
            {
                if (runLength++ == 0) (run, runBegins, runEnds) = (c, !isLineText, !isLineText && !isLineMarked);
                isLineBlank = false;
                continue;
            }
            EndRun();
            if (c is '`' or '~') (run, runLength, runBegins, runEnds) = (c, 1, false, false);
            else Other(c);
        }
    }

    private void Other(char c)
    {
        if (c == '\n')
        {
            if (isClosing || (isInLine && isLineBlank)) (fence, isClosing) = ('\0', false);
            isFirstLine = isLineText = isLineMarked = false;
            isLineBlank = true;
            return;
        }
        if (Spaces.IsSpace(c)) return;
        isClosing = isLineBlank = false;
        if (c is '>') return;
        // An example may stand in a list's entry.
        if (c is '-' or '*' or '+' or '.' or ')' || char.IsAsciiDigit(c)) isLineMarked = true;
        else isLineText = true;
    }

    private void EndRun()
    {
        var (c, many) = (run, runLength);
        (run, runLength) = ('\0', 0);
        if (many == 0) return;
        isLineText = true;
        if (many < Least) return;
        if (fence == 0)
        {
            if (c == '~' && !runBegins) return;
            (fence, length, isInLine, isFirstLine) = (c, many, !runBegins, true);
        }
        else if (isClosing) isClosing = false;
        else if (c == fence && (isInLine || (isFirstLine && c == '`')))
        {
            if (many == length) fence = '\0';
        }
        else if (c == fence && many >= length && runEnds) isClosing = true;
    }
}
