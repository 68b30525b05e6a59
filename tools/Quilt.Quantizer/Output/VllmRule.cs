using System.Text.RegularExpressions;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Output;

/// <summary>A layer as vLLM makes it.</summary>
/// <param name="Name">Its path there.</param>
/// <param name="Class">Its class, in which class names of targets are looked for.</param>
/// <param name="Shards">Paths that are looked up for it where it joins modules; else its own.</param>
/// <param name="Modules">The checkpoint's modules that go into it.</param>
internal sealed record VllmLayer(string Name, string Class, IReadOnlyList<string> Shards, IReadOnlyList<string> Modules);

/// <summary>How vLLM finds what a layer is stored as.</summary>
internal sealed class VllmRule(ConfigTargets targets)
{
    private readonly (string Target, int Group)[] order =
        [.. targets.Targets.SelectMany((list, group) => list.Select(target => (target, group)))];

    private readonly Dictionary<string, Regex> expressions = new(StringComparer.Ordinal);

    /// <summary>The layers of a decoder layer; experts under both names of their block, as models differ in it.</summary>
    public static IEnumerable<VllmLayer> Layers(LayerModules layer)
    {
        var path = FormattableString.Invariant($"model.layers.{layer.Index}");
        yield return Join($"{path}.self_attn.qkv_proj", "QKVParallelLinear", [layer.Query, layer.Key, layer.Value]);
        yield return Join(layer.Output.Name, "RowParallelLinear", [layer.Output]);
        if (layer.Dense is { } dense)
        {
            yield return Join(dense.Gate.Name[..^"gate_proj".Length] + "gate_up_proj", "MergedColumnParallelLinear", [dense.Gate, dense.Up]);
            yield return Join(dense.Down.Name, "RowParallelLinear", [dense.Down]);
        }
        if (layer.Experts is not { } experts) yield break;
        string[] all = [.. experts.All.Select(module => module.Name)];
        foreach (var block in (string[])["mlp", "block_sparse_moe"])
        {
            var router = $"{path}.{block}.{experts.Router.Name[(experts.Router.Name.LastIndexOf('.') + 1)..]}";
            yield return new(router, "ReplicatedLinear", [router], [experts.Router.Name]);
            string[] looked = [$"{path}.{block}.experts.0.gate_proj", $"{path}.{block}.experts.0.up_proj", $"{path}.{block}.experts.0.down_proj"];
            yield return new($"{path}.{block}.experts", "FusedMoE", looked, all);
        }
    }

    /// <summary>The group of a layer; −1: none.</summary>
    public int Find(VllmLayer layer)
    {
        // Ignored is looked up for each module of a joined layer, and they must agree.
        if (layer.Shards.All(shard => targets.Ignored.Any(ignored => Matches(ignored, shard)))) return -1;
        if (layer.Class == "FusedMoE")
        {
            int[] found = [.. layer.Shards.Select(shard => ByName(shard) ?? ByClass("Linear") ?? -1).Distinct()];
            return found.Length == 1 ? found[0] : -1;
        }
        if ((ByName(layer.Name) ?? ByClass(layer.Class)) is { } group) return group;
        int?[] shards = [.. layer.Shards.Select(ByName)];
        return Array.TrueForAll(shards, shard => shard is not null) ? shards[0]!.Value : -1;
    }

    private static VllmLayer Join(string name, string kind, ModuleShape[] modules)
    {
        string[] names = [.. modules.Select(module => module.Name)];
        return new(name, kind, names, names);
    }

    private int? ByName(string name) => First(target => Matches(target, name));

    private int? ByClass(string name) => First(target => !target.StartsWith("re:", StringComparison.Ordinal)
        && name.Contains(target, StringComparison.OrdinalIgnoreCase));

    private int? First(Predicate<string> fits)
    {
        foreach (var (target, group) in order)
        {
            if (fits(target)) return group;
        }
        return null;
    }

    private bool Matches(string target, string name)
    {
        if (!target.StartsWith("re:", StringComparison.Ordinal)) return target == name;
        if (!expressions.TryGetValue(target, out var expression))
            expressions.Add(target, expression = new Regex($@"\A(?:{target[3..]})", RegexOptions.CultureInvariant));
        return expression.IsMatch(name);
    }
}
