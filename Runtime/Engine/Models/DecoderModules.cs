namespace Quilt.Runtime.Models;

/// <summary>A linear module of a checkpoint.</summary>
/// <param name="Name">Official path, without suffix.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
internal readonly record struct ModuleShape(string Name, int Rows, int Columns);

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
    public LayerModules Layer(int layer) => new(spec, $"model.layers.{layer}");

    /// <summary>The modules of all layers.</summary>
    public IEnumerable<LayerModules> Layers => Enumerable.Range(0, spec.Layers).Select(Layer);
}

/// <summary>What one layer holds. Shapes are [outputs, inputs].</summary>
internal sealed class LayerModules(DecoderSpec spec, string path)
{
    private int Queries => spec.Attention.Heads * spec.Attention.HeadDim;

    private int Keys => spec.Attention.KeyValueHeads * spec.Attention.HeadDim;

    public VectorShape AttentionNorm => new($"{path}.input_layernorm.weight", spec.Hidden);

    public ModuleShape Query => new($"{path}.self_attn.q_proj", Queries, spec.Hidden);

    public ModuleShape Key => new($"{path}.self_attn.k_proj", Keys, spec.Hidden);

    public ModuleShape Value => new($"{path}.self_attn.v_proj", Keys, spec.Hidden);

    public VectorShape QueryNorm => new($"{path}.self_attn.q_norm.weight", Queries);

    public VectorShape KeyNorm => new($"{path}.self_attn.k_norm.weight", Keys);

    public ModuleShape Output => new($"{path}.self_attn.o_proj", spec.Hidden, Queries);

    public VectorShape FeedForwardNorm => new($"{path}.post_attention_layernorm.weight", spec.Hidden);

    public ModuleShape Router => new($"{path}.block_sparse_moe.gate", spec.FeedForward.Experts, spec.Hidden);

    public VectorShape RouterBias => new($"{path}.block_sparse_moe.e_score_correction_bias", spec.FeedForward.Experts);

    /// <summary>w1: what goes through the SiLU.</summary>
    public ModuleShape Gate(int expert) => new($"{Expert(expert)}.w1", spec.FeedForward.Hidden, spec.Hidden);

    /// <summary>w3: what it is multiplied with.</summary>
    public ModuleShape Up(int expert) => new($"{Expert(expert)}.w3", spec.FeedForward.Hidden, spec.Hidden);

    /// <summary>w2: back to the residual stream.</summary>
    public ModuleShape Down(int expert) => new($"{Expert(expert)}.w2", spec.Hidden, spec.FeedForward.Hidden);

    /// <summary>All linear modules but the experts'.</summary>
    public IEnumerable<ModuleShape> Shared => [Query, Key, Value, Output, Router];

    /// <summary>The experts' linear modules.</summary>
    public IEnumerable<ModuleShape> Experts => Enumerable.Range(0, spec.FeedForward.Experts).SelectMany(e => new[] { Gate(e), Up(e), Down(e) });

    /// <summary>All vectors.</summary>
    public IEnumerable<VectorShape> Vectors => [AttentionNorm, QueryNorm, KeyNorm, FeedForwardNorm, RouterBias];

    private string Expert(int expert) => $"{path}.block_sparse_moe.experts.{expert}";
}
