namespace Quilt.Formats.Grammars;

/// <summary>How JSON of a grammar is written, and what a schema that is silent allows. The defaults follow vLLM's.</summary>
public sealed record JsonGrammarOptions
{
    /// <summary>Characters of white space between two tokens, at most, where any white space is allowed.</summary>
    public const int MaxWhiteSpace = 32;

    /// <summary>
    /// Whether the only white space is one space behind a comma and behind a colon; otherwise runs of space, tab and line breaks, of
    /// <see cref="MaxWhiteSpace"/> characters at most, may stand between tokens. Never before or behind the whole value.
    /// </summary>
    public bool DisableAnyWhitespace { get; init; }

    /// <summary>A regular expression for the white space between two tokens, whole; null: as <see cref="DisableAnyWhitespace"/> says.</summary>
    public string? WhitespacePattern { get; init; }

    /// <summary>
    /// Whether objects have no properties but those that a schema names, <c>additionalProperties</c> or not. An object of which a schema names some,
    /// without speaking of others, has none either way.
    /// </summary>
    public bool DisableAdditionalProperties { get; init; }
}
