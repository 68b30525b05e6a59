namespace Quilt.Formats;

/// <summary>
/// Something from outside (a file, a template, a request) is not what its specification says. The message is one line that a user can act on:
/// where, which part, what was expected, what was found.
/// </summary>
public class BadInputException : Exception
{
    private const int MaxLength = 1000;

    /// <summary>A complaint about one part of a file or text.</summary>
    /// <param name="source">The file or text at fault, e.g. <c>config.json</c>.</param>
    /// <param name="part">The tensor, key or position in it; null where the whole is meant.</param>
    /// <param name="problem">What was expected and what was found.</param>
    /// <param name="inner">The cause, where another library found it.</param>
    public BadInputException(string source, string? part, string problem, Exception? inner = null)
        : base(OneLine(part is null ? $"{source}: {problem}" : $"{source}: {part}: {problem}"), inner)
    {
        Origin = source;
        Part = part;
    }

    /// <summary>The file or text at fault.</summary>
    public string Origin { get; }

    /// <summary>The tensor, key or position at fault, if one is.</summary>
    public string? Part { get; }

    // Names and pieces of damaged files are quoted in messages, and other libraries quote all that follows a fault.
    private static string OneLine(string message)
    {
        var cut = message.Length <= MaxLength ? message : $"{message.AsSpan(0, MaxLength)}…";
        if (!cut.Any(char.IsControl)) return cut;
        return string.Concat(cut.Select(c => c switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => char.IsControl(c) ? FormattableString.Invariant($"\\u{(int)c:x4}") : c.ToString(),
        }));
    }
}
