namespace Quilt.Runtime.Models;

/// <summary>What one layer holds. Shapes are [outputs, inputs].</summary>
internal sealed class LayerModules(DecoderSpec spec, int layer)
{
    private readonly string path = $"model.layers.{layer}";

    /// <summary>Which of the spec's layers it is.</summary>
    public int Index => layer;

    /// <summary>What it has between attention and the next layer.</summary>
    public FeedForwardSpec FeedForward { get; } = spec.FeedForward(layer);

    public VectorShape AttentionNorm => new($"{path}.input_layernorm.weight", spec.Hidden);

    public ModuleShape Query => new($"{path}.self_attn.q_proj", Queries, spec.Hidden, spec.Attention.InputBias);

    public ModuleShape Key => new($"{path}.self_attn.k_proj", Keys, spec.Hidden, spec.Attention.InputBias);

    public ModuleShape Value => new($"{path}.self_attn.v_proj", Keys, spec.Hidden, spec.Attention.InputBias);

    public VectorShape? QueryNorm => Norm("q_norm", Queries);

    public VectorShape? KeyNorm => Norm("k_norm", Keys);

    public VectorShape? Sinks => spec.Attention.Sinks ? new($"{path}.self_attn.sinks", spec.Attention.Heads) : null;

    public ModuleShape Output => new($"{path}.self_attn.o_proj", spec.Hidden, Queries, spec.Attention.OutputBias);

    public VectorShape FeedForwardNorm => new($"{path}.post_attention_layernorm.weight", spec.Hidden);

    /// <summary>The dense part; null where there is none.</summary>
    public MlpModules? Dense =>
        FeedForward.Dense == 0
            ? null
            : new(FeedForward.Experts is null ? $"{path}.mlp" : $"{path}.mlp.shared_experts", spec.Hidden, FeedForward.Dense);

    /// <summary>The routed experts; null where there are none.</summary>
    public ExpertModules? Experts => FeedForward.Experts is { } experts ? new(experts, path, spec.Hidden) : null;

    /// <summary>The linear modules of attention.</summary>
    public IEnumerable<ModuleShape> Attention => [Query, Key, Value, Output];

    /// <summary>All vectors that are no bias of a linear module.</summary>
    public IEnumerable<VectorShape> Vectors =>
        new[] { AttentionNorm, QueryNorm, KeyNorm, Sinks, FeedForwardNorm, Experts?.Correction }.OfType<VectorShape>();

    private int Queries => spec.Attention.Heads * spec.Attention.HeadDim;

    private int Keys => spec.Attention.KeyValueHeads * spec.Attention.HeadDim;

    private VectorShape? Norm(string name, int heads) => spec.Attention.QkNorm switch
    {
        QkNorm.None => null,
        QkNorm.PerHead => new($"{path}.self_attn.{name}.weight", spec.Attention.HeadDim),
        _ => new($"{path}.self_attn.{name}.weight", heads),
    };
}

/// <summary>The dense part of a feed-forward.</summary>
internal sealed class MlpModules(string path, int hidden, int width)
{
    public ModuleShape Gate => new($"{path}.gate_proj", width, hidden);

    public ModuleShape Up => new($"{path}.up_proj", width, hidden);

    public ModuleShape Down => new($"{path}.down_proj", hidden, width);

    /// <summary>All of them.</summary>
    public IEnumerable<ModuleShape> All => [Gate, Up, Down];
}

/// <summary>The routed experts of a layer and their router.</summary>
internal sealed class ExpertModules(MoeSpec spec, string path, int hidden)
{
    /// <summary>How many there are, and how they are chosen.</summary>
    public MoeSpec Spec => spec;

    public ModuleShape Router => new($"{path}.{spec.Names.Router}", spec.Experts, hidden, spec.RouterBias);

    public VectorShape? Correction => spec.CorrectionBias ? new($"{path}.{spec.Names.Correction}", spec.Experts) : null;

    /// <summary>What goes through the activation.</summary>
    public ModuleShape Gate(int expert) => new($"{Expert(expert)}.{spec.Names.Gate}", spec.Hidden, hidden, spec.ExpertBias);

    /// <summary>What it is multiplied with.</summary>
    public ModuleShape Up(int expert) => new($"{Expert(expert)}.{spec.Names.Up}", spec.Hidden, hidden, spec.ExpertBias);

    /// <summary>Back to the residual stream.</summary>
    public ModuleShape Down(int expert) => new($"{Expert(expert)}.{spec.Names.Down}", hidden, spec.Hidden, spec.ExpertBias);

    /// <summary>The linear modules of all experts.</summary>
    public IEnumerable<ModuleShape> All => Enumerable.Range(0, spec.Experts).SelectMany(e => new[] { Gate(e), Up(e), Down(e) });

    private string Expert(int expert) => $"{path}.{spec.Names.Experts}.{expert}";
}
