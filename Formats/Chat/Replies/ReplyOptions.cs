using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>What a reply answers to, and what to do where engines disagree. The defaults follow vLLM.</summary>
public sealed record ReplyOptions
{
    /// <summary>
    /// The tools the model was told of, a list in OpenAI's form or its flat form (<c>{"name", "parameters"}</c>); null or an empty list declares
    /// nothing, and then every name is good.
    /// </summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Whether the prompt ended inside the model's thinking, so that the reply begins there.</summary>
    public bool StartsThinking { get; init; }

    /// <summary>Whether thinking is passed on as text of the reply, with its markers where the model wrote them.</summary>
    public bool ThinkingAsText { get; init; }

    /// <summary>
    /// The dialect's markers as token ids, by their text, for hosts whose detokenizer leaves special tokens out; see
    /// <see cref="ReplyParser.Push(int, ReadOnlySpan{char}, ICollection{ReplyEvent})"/>.
    /// </summary>
    public IReadOnlyDictionary<string, int>? MarkerIds { get; init; }

    /// <summary>What to do with a call to a tool that is not among <see cref="Tools"/>.</summary>
    public UndeclaredTools UndeclaredTools { get; init; }

    /// <summary>What to do with text behind the first block of calls.</summary>
    public TextAfterCalls TextAfterCalls { get; init; }

    /// <summary>What to do with a block of calls in which the reply ends.</summary>
    public UnfinishedCalls UnfinishedCalls { get; init; }

    /// <summary>What to do with a call that has no name.</summary>
    public MalformedCalls MalformedCalls { get; init; }

    /// <summary>What to do with a call that stands in thinking, where models draft calls and speak of them.</summary>
    public CallsInThinking CallsInThinking { get; init; }

    /// <summary>What to do with a call that stands in a fenced example, <c>```…```</c>.</summary>
    public CallsInFences CallsInFences { get; init; }

    /// <summary>Whether calls are text of the reply, markup and all, wherever they stand (tool_choice none).</summary>
    public bool CallsAsText { get; init; }

    /// <summary>How arguments become JSON.</summary>
    public ArgumentRules Arguments { get; init; } = new();
}

/// <summary>Calls to tools that were not declared.</summary>
public enum UndeclaredTools
{
    /// <summary>They vanish, markup and all, and are told as <see cref="ToolCallDropped"/>.</summary>
    Drop,

    /// <summary>They are passed on like any other, with string arguments.</summary>
    Forward,
}

/// <summary>Text behind the first block of calls.</summary>
public enum TextAfterCalls
{
    /// <summary>It is text of the reply. White space up to the next block or the end, and one line break right behind a block, are not.</summary>
    Keep,

    /// <summary>It vanishes; later calls do not.</summary>
    Drop,
}

/// <summary>Blocks of calls in which the reply ends.</summary>
public enum UnfinishedCalls
{
    /// <summary>
    /// Whatever is known of the last call is kept: its arguments are closed so that they are valid JSON, and it ends with
    /// <see cref="ToolCallEnded.IsComplete"/> false.
    /// </summary>
    Complete,

    /// <summary>The block is passed on as the text that it is. This holds every block back until it ends.</summary>
    AsText,
}

/// <summary>Calls without a name.</summary>
public enum MalformedCalls
{
    /// <summary>They vanish, markup and all, and are told as <see cref="ToolCallDropped"/>; the block's other calls are calls.</summary>
    Drop,

    /// <summary>The block is passed on as the text that it is. This holds every block back until it ends.</summary>
    AsText,
}

/// <summary>Calls that stand in thinking.</summary>
public enum CallsInThinking
{
    /// <summary>They are calls, and end the thinking.</summary>
    CarryOut,

    /// <summary>They are thinking, markup and all.</summary>
    AsText,
}

/// <summary>Calls that stand between code fences, three or more backticks or tildes.</summary>
public enum CallsInFences
{
    /// <summary>They are calls.</summary>
    CarryOut,

    /// <summary>They are text, markup and all. A fence that is left open makes text of all that follows.</summary>
    AsText,
}
