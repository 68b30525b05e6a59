using System.Text.RegularExpressions;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Which config group a module belongs to, by the rules of the compressed-tensors library: `ignore` first, then exact names, then regular expressions
/// (matched from the start, not to the end; both in ordinal order), then class names. A target written in two groups belongs to the last
/// (specification: checkpoints.md 5.2).
/// </summary>
internal sealed class QuantTargets
{
    private const string RegexMark = "re:";
    private readonly List<Target> ignore;
    private readonly List<Target> targets;

    public QuantTargets(string source, IEnumerable<string> ignore, IReadOnlyDictionary<string, QuantArgs?> targets)
    {
        this.ignore = [.. ignore.Select(text => new Target(source, text, null))];
        this.targets = [.. targets.OrderBy(t => t.Key.StartsWith(RegexMark, StringComparison.Ordinal)).ThenBy(t => t.Key,
            StringComparer.Ordinal).Select(t => new Target(source, t.Key, t.Value))];
    }

    /// <summary>The arguments for a module that goes by any of these names; null if no group wants it.</summary>
    public QuantArgs? Find(string[] names)
    {
        var kind = Array.Exists(names, name => name.EndsWith("embed_tokens", StringComparison.Ordinal)) ? "Embedding" : "Linear";
        if (ignore.Exists(target => target.Matches(names) || target.IsClass(kind))) return null;
        return (targets.Find(target => target.Matches(names)) ?? targets.Find(target => target.IsClass(kind)))?.Args;
    }

    private sealed class Target
    {
        private readonly string text;
        private readonly string source;
        private readonly Regex? regex;

        public Target(string source, string text, QuantArgs? args)
        {
            (this.source, this.text, Args) = (source, text, args);
            if (!text.StartsWith(RegexMark, StringComparison.Ordinal)) return;
            try
            {
                regex = Compile(text[RegexMark.Length..]);
            }
            catch (ArgumentException problem)
            {
                throw new BadInputException(source, "quantization_config", $"the target {text} is no regular expression: {problem.Message}", problem);
            }
        }

        public QuantArgs? Args { get; }

        /// <summary>Whether it names a class of modules: the embedding is one, every other module of a checkpoint is linear.</summary>
        public bool IsClass(string kind) => regex is null && text == kind;

        public bool Matches(string[] names)
        {
            try
            {
                return Array.Exists(names, name => regex is null ? name == text : regex.IsMatch(name));
            }
            catch (RegexMatchTimeoutException problem)
            {
                throw new BadInputException(source, "quantization_config", $"the target {text} takes too long to match", problem);
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
