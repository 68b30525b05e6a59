using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>The part of <see cref="ConfigCheck"/> that goes by vLLM's rules: what it takes each of its modules for, against what is stored.</summary>
internal sealed class VllmConfigCheck(CheckSubject subject, VllmTargets targets, IEnumerable<StoredModule> linears)
{
    private readonly Dictionary<string, StoredModule> stored = linears.ToDictionary(module => module.Name, StringComparer.Ordinal);

    /// <summary>Tells of what differs.</summary>
    public void Run(Findings findings)
    {
        foreach (var layer in subject.Modules.Layers)
        {
            ModuleShape[] projections = [layer.Query, layer.Key, layer.Value];
            var attention = layer.Query.Name[..layer.Query.Name.LastIndexOf('.')];
            var fused = targets.OfLinear($"{attention}.qkv_proj", "QKVParallelLinear", Array.ConvertAll(projections, shape => shape.Name));
            Compare($"{attention}.qkv_proj", fused, projections, findings);
            Compare(layer.Output.Name, targets.OfLinear(layer.Output.Name, "RowParallelLinear"), [layer.Output], findings);
            if (layer.Dense is { } dense) Mlp(dense, findings);
            if (layer.Experts is { } experts) Experts(layer.Index, experts, findings);
        }
        Compare(subject.Modules.Head.Name, targets.OfLinear(subject.Modules.Head.Name, "ParallelLMHead"), [subject.Modules.Head], findings);
    }

    private void Mlp(MlpModules dense, Findings findings)
    {
        var path = dense.Gate.Name[..dense.Gate.Name.LastIndexOf('.')];
        Compare($"{path}.gate_up_proj", targets.OfLinear($"{path}.gate_up_proj", "MergedColumnParallelLinear", dense.Gate.Name, dense.Up.Name),
            [dense.Gate, dense.Up], findings);
        Compare(dense.Down.Name, targets.OfLinear(dense.Down.Name, "RowParallelLinear"), [dense.Down], findings);
    }

    // Whatever the files call them, its module is "mlp.experts"; only Mixtral's keeps its name. Routers are never quantized there.
    private void Experts(int layer, ExpertModules experts, Findings findings)
    {
        var block = subject.Model.Config.ModelType == "mixtral" ? "block_sparse_moe" : "mlp";
        var path = FormattableString.Invariant($"model.layers.{layer}.{block}.experts");
        var scheme = targets.OfExperts(path);
        Compare(path, scheme, experts.All, findings);
        if (scheme.Arguments is { IsFloat: false, Symmetric: false })
            findings.Warn(path, "expected symmetric codes, which vLLM's experts take, found zero points");
        if (scheme.Arguments is { IsFloat: false, Bits: not (4 or 8) and var bits })
            findings.Warn(path, $"expected 4 or 8 bits, which vLLM's experts take, found {bits}");
        if (stored.GetValueOrDefault(experts.Router.Name) is { } router && ConfigCheck.Stored(router) != ConfigCheck.Told(null))
            findings.Warn(router.Name, $"expected a router that is not quantized, as vLLM takes it, found {ConfigCheck.Stored(router)}");
    }

    private void Compare(string name, VllmScheme scheme, IEnumerable<ModuleShape> parts, Findings findings)
    {
        if (scheme.Refusal is not null) findings.Warn(name, $"vLLM {scheme.Refusal}");
        else if (parts.Select(part => stored.GetValueOrDefault(part.Name)).OfType<StoredModule>()
            .FirstOrDefault(module => ConfigCheck.Stored(module) != ConfigCheck.Told(scheme.Arguments)) is { } other)
            findings.Warn(name, $"expected vLLM to find {ConfigCheck.Stored(other)}, as {other.Name} is stored, found " +
                ConfigCheck.Told(scheme.Arguments) + (scheme.Arguments is { } arguments ? $" from {arguments.Group}" : ""));
    }
}
