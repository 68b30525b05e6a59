namespace Quilt.Formats.Chat.Jinja;

/// <summary>A template cannot be read, or refuses what it was given. The message names the line of the template and shows it.</summary>
public sealed class JinjaException : BadInputException
{
    internal JinjaException(string template, int line, string lineText, string problem)
        : base(template, $"line {line}", lineText.Length == 0 ? problem.ReplaceLineEndings(" ") : $"{problem.ReplaceLineEndings(" ")} in: {lineText}")
    {
        Line = line;
        Problem = problem;
    }

    /// <summary>Line of the template, from 1.</summary>
    public int Line { get; }

    /// <summary>What is wrong, in the words of the reference where it has some; what a template raises itself comes as it is.</summary>
    public string Problem { get; }
}

/// <summary>A failure inside an expression, before anybody knows the line.</summary>
internal sealed class JinjaError(string problem) : Exception(problem);
