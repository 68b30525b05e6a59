using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Verifying;

/// <summary>
/// Which scheme a module gets by vLLM's rules for compressed-tensors, which are not the library's: q, k and v are one module, experts are one, a
/// target is looked for in the order of the config, and a class name counts where it is part of the class's.
/// </summary>
internal sealed class VllmTargets
{
    private const string Linear = "Linear";
    private const string FusedExperts = "FusedMoE";
    private static readonly string[] ExpertMatrices = ["gate_proj", "up_proj", "down_proj"];
    private readonly List<(string Target, TargetPattern? Pattern, QuantArgs? Arguments)> targets;
    private readonly List<(string Name, TargetPattern? Pattern)> ignored;

    /// <param name="source">The config, for complaints.</param>
    /// <param name="config">Its targets.</param>
    public VllmTargets(string source, QuantTargets config)
    {
        targets = [.. config.All.Select(target => (target.Key, Pattern(source, target.Key), target.Value))];
        // Experts have a class of their own; where none is named they go by what all linear modules do.
        if (config.All.TryGetValue(Linear, out var linear) && !config.All.ContainsKey(FusedExperts)) targets.Add((FusedExperts, null, linear));
        ignored = [.. config.Ignore.Select(name => (name, Pattern(source, name)))];
    }

    /// <summary>The scheme of a linear module.</summary>
    /// <param name="name">Its path.</param>
    /// <param name="className">vLLM's class of it.</param>
    /// <param name="parts">Paths of the modules that it is made of; none where it is one itself.</param>
    public VllmScheme OfLinear(string name, string className, params string[] parts)
    {
        var ignoredParts = (parts.Length > 0 ? parts : [name]).Count(IsIgnored);
        if (ignoredParts > 0 && ignoredParts < parts.Length)
            return new(null, $"ignores some of {string.Join(", ", parts)} and not others, which it refuses");
        if (ignoredParts > 0) return new(null);
        var at = targets.FindIndex(target => Matches(target, name));
        if (at < 0) at = targets.FindIndex(target => target.Pattern is null && className.Contains(target.Target, StringComparison.OrdinalIgnoreCase));
        if (at < 0 && parts.Length > 0 && parts.All(part => targets.Exists(target => Matches(target, part))))
            at = targets.FindIndex(target => Matches(target, parts[0]));
        return at < 0 ? new(null) : new(targets[at].Arguments);
    }

    /// <summary>The scheme of a layer's experts.</summary>
    /// <param name="path">The path above them.</param>
    public VllmScheme OfExperts(string path)
    {
        var schemes = ExpertMatrices.Select(matrix => OfLinear($"{path}.0.{matrix}", FusedExperts).Arguments).Distinct().ToList();
        return schemes.Count == 1 ? new(schemes[0]) : new(null, "finds different schemes for gate, up and down, which it refuses");
    }

    private static TargetPattern? Pattern(string source, string target) =>
        TargetPattern.Is(target) ? new(source, "quantization_config", target) : null;

    private static bool Matches((string Target, TargetPattern? Pattern, QuantArgs? Arguments) target, string name) =>
        target.Pattern?.Matches(name) ?? target.Target == name;

    private bool IsIgnored(string name) => ignored.Exists(entry => entry.Pattern?.Matches(name) ?? entry.Name == name);
}

/// <summary>What vLLM makes of a module.</summary>
/// <param name="Arguments">How it takes its weight to be stored; null: not quantized.</param>
/// <param name="Refusal">Why it loads no such checkpoint; null: it does.</param>
internal sealed record VllmScheme(QuantArgs? Arguments, string? Refusal = null);
