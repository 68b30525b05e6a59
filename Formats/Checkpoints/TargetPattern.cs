using System.Text.RegularExpressions;

namespace Quilt.Formats.Checkpoints;

/// <summary>A target of a quantization config that is a regular expression, written <c>re:…</c>; it must match from the start of a name.</summary>
internal sealed class TargetPattern
{
    private const string Mark = "re:";
    private readonly string text;
    private readonly string source;
    private readonly string part;
    private readonly Regex regex;

    /// <param name="source">The file that it stands in, for complaints.</param>
    /// <param name="part">The key.</param>
    /// <param name="text">The target.</param>
    /// <exception cref="BadInputException">It is no regular expression.</exception>
    public TargetPattern(string source, string part, string text)
    {
        (this.source, this.part, this.text) = (source, part, text);
        try
        {
            regex = Compile(text[Mark.Length..]);
        }
        catch (ArgumentException problem)
        {
            throw new BadInputException(source, part,
                $"the target {text} is no regular expression: {problem.Message}", problem);
        }
    }

    /// <summary>Whether a target is a regular expression.</summary>
    public static bool Is(string target) => target.StartsWith(Mark, StringComparison.Ordinal);

    /// <summary>Whether any of these names matches.</summary>
    /// <exception cref="BadInputException">It takes too long.</exception>
    public bool Matches(params string[] names)
    {
        try
        {
            return Array.Exists(names, regex.IsMatch);
        }
        catch (RegexMatchTimeoutException problem)
        {
            throw new BadInputException(source, part,
                $"the target {text} takes too long to match", problem);
        }
    }

    // Linear time where the expression allows it; lookarounds and the like fall back to a matcher with a time limit. That one also has what it cannot
    // take long for: the linear one builds an automaton first, which is a good part of a small model's start.
    private static Regex Compile(string pattern)
    {
        const RegexOptions Options = RegexOptions.CultureInvariant;
        if (IsQuick(pattern)) return Limited();
        try
        {
            return new Regex($@"\A(?:{pattern})", Options | RegexOptions.NonBacktracking);
        }
        catch (NotSupportedException)
        {
            return Limited();
        }

        Regex Limited() => new($@"\A(?:{pattern})", Options, TimeSpan.FromMilliseconds(200));
    }

    // At most two repetitions, none of a group: the square of a name's length at worst.
    private static bool IsQuick(string pattern)
    {
        var repetitions = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] is not ('*' or '+' or '?' or '{')) continue;
            if (i > 0 && pattern[i - 1] is '(' or ')') return false;
            repetitions++;
        }
        return repetitions <= 2;
    }
}
