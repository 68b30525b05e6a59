using System.Globalization;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// The names that different tools give the parts of routed experts (docs/checkpoints.md, "Names"): <c>mlp</c> or <c>block_sparse_moe</c>;
/// in an expert <c>gate_proj, down_proj, up_proj</c> or <c>w1, w2, w3</c>; the router's correction inside or beside it. Every family is understood in
/// both: which of them a file uses depends on the tool that wrote it.
/// </summary>
internal static class TensorNames
{
    private const string Layers = "model.layers.";
    private const string One = "block_sparse_moe";
    private const string Other = "mlp";

    // A checkpoint of a hundred thousand names, MiniMax's, has the second of each pair.
    private static readonly (string From, string To)[] Projections = [("gate_proj", "w1"), ("down_proj", "w2"), ("up_proj", "w3")];

    /// <summary>The same text for all names of a tensor, or of a module's path; itself one of them.</summary>
    public static string Meaning(string name)
    {
        if (!name.StartsWith(Layers, StringComparison.Ordinal)) return name;
        var dot = name.IndexOf('.', Layers.Length);
        if (dot < 0) return name;
        var rest = name.AsSpan(dot + 1);
        var block = rest.StartsWith($"{Other}.") ? Other : rest.StartsWith($"{One}.") ? One : null;
        if (block is null) return name;

        var part = rest[(block.Length + 1)..];
        var correction = part.StartsWith("gate.e_score_correction_bias");
        if (correction) part = part["gate.".Length..];
        var isMoe = part.StartsWith("experts.") || part.StartsWith("gate.") || part is "gate" || part.StartsWith("e_score_correction_bias");
        if (!isMoe) return name;
        var projection = Projection(part, out var at);
        if (block == One && !correction && projection is null) return name;
        var head = name.AsSpan(0, dot + 1);
        return projection is not var (from, to) || at < 0
            ? string.Concat(head, $"{One}.", part)
            : string.Concat(head, $"{One}.", part[..at], string.Concat(to, part[(at + from.Length)..]));
    }

    /// <summary>The decoder layer that a tensor or module is of; −1: of none.</summary>
    public static int LayerOf(string name)
    {
        if (!name.StartsWith(Layers, StringComparison.Ordinal)) return -1;
        var number = name.AsSpan(Layers.Length);
        return number.IndexOf('.') is var dot and > 0 && int.TryParse(number[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            ? layer
            : -1;
    }

    /// <summary>Every name a module may go by in a quantization config, its own first.</summary>
    public static IEnumerable<string> Spellings(string module)
    {
        yield return module;
        var meaning = Meaning(module);
        if (!meaning.Contains($".{One}.", StringComparison.Ordinal)) yield break;
        var dot = meaning.LastIndexOf('.');
        var last = Array.Find(Projections, pair => meaning.AsSpan(dot + 1).SequenceEqual(pair.To));
        foreach (var name in last.From is null ? [meaning] : (string[])[meaning, meaning[..(dot + 1)] + last.From])
        {
            if (name != module) yield return name;
            if (name.Replace($".{One}.", $".{Other}.", StringComparison.Ordinal) is var moved && moved != module) yield return moved;
        }
    }

    // experts.E.gate_proj: which of the pairs, and where it begins.
    private static (string From, string To)? Projection(ReadOnlySpan<char> part, out int at)
    {
        at = -1;
        if (!part.StartsWith("experts.")) return null;
        var start = "experts.".Length;
        var dot = part[start..].IndexOf('.');
        if (dot < 0) return null;
        at = start + dot + 1;
        foreach (var pair in Projections)
        {
            var name = part[at..];
            if (name.StartsWith(pair.From) && (name.Length == pair.From.Length || name[pair.From.Length] == '.')) return pair;
        }
        return null;
    }
}
