namespace Quilt.Formats.Chat.Replies;

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
