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

    /// <summary>How arguments become JSON.</summary>
    public ArgumentRules Arguments { get; init; } = new();
}

/// <summary>Calls to tools that were not declared.</summary>
public enum UndeclaredTools
{
    /// <summary>They vanish, markup and all.</summary>
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
    /// <summary>They vanish, markup and all; the block's other calls do not.</summary>
    Drop,

    /// <summary>The block is passed on as the text that it is. This holds every block back until it ends.</summary>
    AsText,
}

/// <summary>How an argument's text becomes JSON, beyond what the tool's schema says.</summary>
public sealed record ArgumentRules
{
    /// <summary>Whether numbers, true, false and null are recognized where no schema speaks of an argument; otherwise it is a string.</summary>
    public bool InferWithoutSchema { get; init; }

    /// <summary>Whether XML entities are decoded. The dialect does not encode them, so this is wrong unless the model was taught otherwise.</summary>
    public bool DecodeEntities { get; init; }

    /// <summary>Whether only line breaks around a value are taken off; otherwise all white space is.</summary>
    public bool TrimNewlinesOnly { get; init; }

    /// <summary>Whether the text null means null even where the schema allows only other types.</summary>
    public bool NullAlways { get; init; }

    /// <summary>
    /// Whether none and nil are null too, whatever the type, and yes, on, no and off are boolean: vLLM's rules up to the middle of 2026.
    /// </summary>
    public bool LegacyWords { get; init; }

    /// <summary>What of a value's edges belongs to the markup; a dialect's own affair.</summary>
    internal ValueEdge Edge { get; init; }

    /// <summary>What a value is taken for where no schema speaks of it.</summary>
    internal ValueTypes WithoutSchema => InferWithoutSchema ? ValueTypes.Inferred : JsonWithoutSchema ? ValueTypes.Unknown : ValueTypes.String;

    /// <summary>Whether the dialect writes every value but a string as JSON, so that without a schema JSON is tried first.</summary>
    internal bool JsonWithoutSchema { get; init; }
}

/// <summary>What of a value's edges belongs to the markup around it.</summary>
internal enum ValueEdge
{
    /// <summary>White space, by <see cref="ArgumentRules.TrimNewlinesOnly"/>.</summary>
    Trimmed,

    /// <summary>One line break at each end.</summary>
    OneLineBreak,

    /// <summary>Nothing.</summary>
    Exact,
}
