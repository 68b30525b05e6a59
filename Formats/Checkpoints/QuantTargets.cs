namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Which config group a module belongs to, by the rules of the compressed-tensors library: `ignore` first, then exact names, then regular expressions
/// (matched from the start, not to the end; both in ordinal order), then class names. A target written in two groups belongs to the last
/// (docs/checkpoints.md, "Quantization configs").
/// </summary>
internal sealed class QuantTargets
{
    private readonly HashSet<string> ignoredNames;
    private readonly TargetPattern[] ignoredPatterns;
    private readonly IReadOnlyDictionary<string, QuantArgs?> targets;
    private readonly (TargetPattern Pattern, QuantArgs? Args)[] patterns;

    public QuantTargets(string source, IReadOnlyList<string> ignore, IReadOnlyDictionary<string, QuantArgs?> targets,
        string part = "quantization_config")
    {
        if (ignore.Concat(targets.Keys).Count(IsPattern) is var count && count > SizeLimits.Patterns)
            throw new BadInputException(source, part,
                $"expected at most {SizeLimits.Patterns} regular expressions as targets, found {count}");
        this.targets = targets;
        Ignore = ignore;
        ignoredNames = ignore.Where(text => !IsPattern(text)).ToHashSet(StringComparer.Ordinal);
        ignoredPatterns = [.. ignore.Where(IsPattern).Select(text => new TargetPattern(source, part, text))];
        patterns = [.. targets.Where(target => IsPattern(target.Key)).OrderBy(target => target.Key, StringComparer.Ordinal)
            .Select(target => (new TargetPattern(source, part, target.Key), target.Value))];
    }

    /// <summary>
    /// What each target is given, in the order of the config; of one that stands twice the place is the first, what it is given the last.
    /// </summary>
    public IReadOnlyDictionary<string, QuantArgs?> All => targets;

    /// <summary>What is left alone.</summary>
    public IReadOnlyList<string> Ignore { get; }

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

    private static bool IsPattern(string text) => TargetPattern.Is(text);
}
