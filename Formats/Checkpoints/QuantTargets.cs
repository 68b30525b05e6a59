using System.Text.RegularExpressions;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Which config group a module belongs to, by the rules of the compressed-tensors library: `ignore` first, then exact names, then regular expressions
/// (matched from the start, not to the end; both in ordinal order), then class names. A target written in two groups belongs to the last
/// (docs/checkpoints.md, "Quantization configs").
/// </summary>
internal sealed class QuantTargets
{
    private const string RegexMark = "re:";
    private readonly HashSet<string> ignoredNames;
    private readonly Pattern[] ignoredPatterns;
    private readonly IReadOnlyDictionary<string, QuantArgs?> targets;
    private readonly (Pattern Pattern, QuantArgs? Args)[] patterns;

    public QuantTargets(string source, IReadOnlyList<string> ignore, IReadOnlyDictionary<string, QuantArgs?> targets,
        string part = "quantization_config")
    {
        if (ignore.Concat(targets.Keys).Count(IsPattern) is var count && count > SizeLimits.Patterns)
            throw new BadInputException(source, part,
                $"expected at most {SizeLimits.Patterns} regular expressions as targets, found {count}");
        this.targets = targets;
        ignoredNames = ignore.Where(text => !IsPattern(text)).ToHashSet(StringComparer.Ordinal);
        ignoredPatterns = [.. ignore.Where(IsPattern).Select(text => new Pattern(source, part, text))];
        patterns = [.. targets.Where(target => IsPattern(target.Key)).OrderBy(target => target.Key, StringComparer.Ordinal)
            .Select(target => (new Pattern(source, part, target.Key), target.Value))];
    }

    /// <summary>The arguments for a module that goes by any of these names; null if no group wants it.</summary>
    public QuantArgs? Find(string[] names)
    {
        // The embedding is a class of its own, every other module of a checkpoint is linear.
        var kind = Array.Exists(names, name => name.EndsWith("embed_tokens", StringComparison.Ordinal)) ? "Embedding" : "Linear";
        if (Array.Exists(names, ignoredNames.Contains) || ignoredNames.Contains(kind)) return null;
        if (Array.Exists(ignoredPatterns, pattern => pattern.Matches(names))) return null;

        // Of several exact names of one module the first in ordinal order, as of several expressions.
        if (names.Where(targets.ContainsKey).Order(StringComparer.Ordinal).FirstOrDefault() is { } exact) return targets[exact];
        foreach (var (pattern, args) in patterns)
        {
            if (pattern.Matches(names)) return args;
        }
        return targets.GetValueOrDefault(kind);
    }

    private static bool IsPattern(string text) => text.StartsWith(RegexMark, StringComparison.Ordinal);

    private sealed class Pattern
    {
        private readonly string text;
        private readonly string source;
        private readonly string part;
        private readonly Regex regex;

        public Pattern(string source, string part, string text)
        {
            (this.source, this.part, this.text) = (source, part, text);
            try
            {
                regex = Compile(text[RegexMark.Length..]);
            }
            catch (ArgumentException problem)
            {
                throw new BadInputException(source, part, $"the target {text} is no regular expression: {problem.Message}", problem);
            }
        }

        public bool Matches(string[] names)
        {
            try
            {
                return Array.Exists(names, regex.IsMatch);
            }
            catch (RegexMatchTimeoutException problem)
            {
                throw new BadInputException(source, part, $"the target {text} takes too long to match", problem);
            }
        }

        // Linear time where the expression allows it; lookarounds and the like fall back to a matcher with a time limit.
        private static Regex Compile(string pattern)
        {
            const RegexOptions Options = RegexOptions.CultureInvariant;
            try
            {
                return new Regex($@"\A(?:{pattern})", Options | RegexOptions.NonBacktracking);
            }
            catch (NotSupportedException)
            {
                return new Regex($@"\A(?:{pattern})", Options, TimeSpan.FromMilliseconds(200));
            }
        }
    }
}
