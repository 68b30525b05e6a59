namespace Quilt.Formats.Grammars.Tools;

/// <summary>
/// How a model lays out calls, as its chat template does. In <see cref="Before"/> and parameter tags stand <see cref="Name"/> for the name,
/// <see cref="Index"/> for a number and <see cref="Id"/> for nine letters or digits.
/// </summary>
/// <param name="Open">Before the first call.</param>
/// <param name="Before">Before a call's arguments.</param>
/// <param name="After">Behind them.</param>
/// <param name="Between">Between two calls; null where a reply holds one only.</param>
/// <param name="Close">Behind the last call.</param>
internal sealed record CallSyntax(string Open, string Before, string After, string? Between, string Close)
{
    public const char Name = '\u0001', Index = '\u0002', Id = '\u0003';

    /// <summary>How a parameter is written, where each has a tag; null where arguments are one JSON object.</summary>
    public ParameterSyntax? Parameter { get; init; }
}

/// <summary>How a parameter with a tag of its own is written, and what its value may not hold.</summary>
/// <param name="Before">Before the value.</param>
/// <param name="After">Behind the value.</param>
/// <param name="Words">With which tags begin that end a value, with a slash or without, white space between: none may be in a text.</param>
/// <param name="Marks">Other strings that may not be in it.</param>
/// <param name="Unsafe">Characters that in JSON may not follow a &lt; and blanks.</param>
internal sealed record ParameterSyntax(string Before, string After, string[] Words, string[] Marks, string Unsafe);
