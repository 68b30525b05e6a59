namespace Quilt.Runtime.Models;

/// <summary>A linear module of a checkpoint.</summary>
/// <param name="Name">Official path, without suffix.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="HasBias">Whether a bias of one value an output is added.</param>
internal readonly record struct ModuleShape(string Name, int Rows, int Columns, bool HasBias = false)
{
    /// <summary>The bias, if there is one.</summary>
    public VectorShape Bias => new($"{Name}.bias", Rows);
}

/// <summary>A tensor of one dimension: a norm's gains or a bias.</summary>
/// <param name="Name">Official name.</param>
/// <param name="Length">Values.</param>
internal readonly record struct VectorShape(string Name, int Length);

/// <summary>What a decoder's checkpoint must hold: the name and shape of everything, from the spec alone.</summary>
internal sealed class DecoderModules(DecoderSpec spec)
{
    public ModuleShape Embedding => new("model.embed_tokens", spec.VocabularySize, spec.Hidden);

    public VectorShape FinalNorm => new("model.norm.weight", spec.Hidden);

    public ModuleShape Head => new("lm_head", spec.VocabularySize, spec.Hidden);

    /// <summary>The modules of one layer.</summary>
    public LayerModules Layer(int layer) => new(spec, layer);

    /// <summary>The modules of all layers.</summary>
    public IEnumerable<LayerModules> Layers => Enumerable.Range(0, spec.Layers).Select(Layer);
}
