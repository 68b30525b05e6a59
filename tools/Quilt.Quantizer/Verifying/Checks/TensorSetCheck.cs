using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>1: the tensors that are there are those that the architecture and the way of storing ask for, no fewer and no more.</summary>
internal sealed class TensorSetCheck() : Check(1, "tensor-set")
{
    // What other tools write beside the weights, and what loads without being read.
    private static readonly string[] Harmless =
        [".k_scale", ".v_scale", ".kv_scale", ".output_scale", ".input_scale", ".rotary_emb.inv_freq", ".self_attn.sinks"];

    public override CheckResult Run(CheckSubject subject)
    {
        var findings = new Findings();
        var known = new HashSet<TensorEntry>(ReferenceEqualityComparer.Instance);
        foreach (var module in subject.Linears)
        {
            foreach (var name in ModuleTensorNames.Missing(subject.Model, module)) findings.Fail(name, "expected this tensor, found none");
            known.UnionWith(ModuleTensorNames.Known(subject.Model, module));
        }
        foreach (var vector in subject.Vectors)
        {
            if (subject.Model.Find(vector.Name) is { } tensor) known.Add(tensor);
            else findings.Fail(vector.Name, "expected this tensor, found none");
        }
        var behind = 0;
        foreach (var tensor in subject.Model.Tensors.Where(tensor => !known.Contains(tensor)))
        {
            if (TensorNames.LayerOf(tensor.Name) >= subject.Spec.Layers) behind++;
            else if (!Array.Exists(Harmless, end => tensor.Name.EndsWith(end, StringComparison.Ordinal)))
                findings.Warn(tensor.Label, "expected no such tensor, found it; nothing reads it");
        }
        return findings.Conclude(this, $"{subject.Model.Tensors.Count} tensors, all that {subject.Model.Config.ModelType} asks for" +
            (behind > 0 ? $"; {behind} of layers behind the last, which nothing reads" : ""));
    }
}
