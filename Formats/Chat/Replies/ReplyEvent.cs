namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// One piece of a reply, as it becomes certain. The kinds are those below and no others. Texts and argument fragments are never empty; where a reply
/// is cut into pieces does not change what the pieces of one kind say together.
/// </summary>
public abstract record ReplyEvent
{
    private protected ReplyEvent()
    {
    }
}

/// <summary>More of what the model thinks before it answers.</summary>
/// <param name="Text">The text, without the markers around it.</param>
public sealed record ThinkingText(string Text) : ReplyEvent;

/// <summary>More of the answer itself.</summary>
/// <param name="Text">The text; never a tool call's markup.</param>
public sealed record ReplyText(string Text) : ReplyEvent;

/// <summary>A tool call has begun: its name is known, its arguments follow.</summary>
/// <param name="Index">The calls of a reply, counted from 0; calls that are not passed on are not counted.</param>
/// <param name="Name">The tool's name.</param>
public sealed record ToolCallBegun(int Index, string Name) : ReplyEvent;

/// <summary>More of a call's arguments. The fragments of a call, joined, are one JSON object, <c>{}</c> for a call without arguments.</summary>
/// <param name="Index">The call it belongs to.</param>
/// <param name="Json">The fragment, with Python's separators (<c>", "</c> and <c>": "</c>) and non-ASCII text as it is.</param>
public sealed record ToolCallArguments(int Index, string Json) : ReplyEvent;

/// <summary>A tool call is over.</summary>
/// <param name="Index">The call.</param>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">All of its fragments: one JSON object.</param>
/// <param name="IsComplete">False where the reply ended inside the call, so that arguments may be cut short or missing.</param>
public sealed record ToolCallEnded(int Index, string Name, string Arguments, bool IsComplete) : ReplyEvent;

/// <summary>
/// A tool call that is not passed on: the caller may tell the model, or the user, what was wrong with it. It is told when the call is over; there is
/// no other event of it.
/// </summary>
/// <param name="Name">What the model wrote for a name; empty where it wrote none.</param>
/// <param name="Arguments">What it wrote for arguments: one JSON object.</param>
/// <param name="Reason">Why it is not passed on.</param>
public sealed record ToolCallDropped(string Name, string Arguments, DropReason Reason) : ReplyEvent;

/// <summary>Why a call is not passed on.</summary>
public enum DropReason
{
    /// <summary>It names no declared tool, nor anything near one.</summary>
    UndeclaredTool,

    /// <summary>Several declared tools fit what it says, and none better than the others.</summary>
    AmbiguousTool,

    /// <summary>It has no name, and its arguments do not tell the tool.</summary>
    NoName,

    /// <summary>The reply ended before its name did.</summary>
    CutShort,
}
