namespace Quilt.Runtime.Models;

/// <summary>What one layer holds. Shapes are [outputs, inputs].</summary>
/// <param name="spec">What the decoder is, all of it.</param>
/// <param name="layer">Which layer.</param>
/// <param name="share">The part of it that one of several devices holds; null: all.</param>
internal sealed class LayerModules(DecoderSpec spec, int layer, DeviceShare? share = null)
{
    private readonly string path = $"model.layers.{layer}";
    private readonly DeviceShare share = share ?? DeviceShare.All;

    /// <summary>Which of the spec's layers it is.</summary>
    public int Index => layer;

    /// <summary>What it has between attention and the next layer.</summary>
    public FeedForwardSpec FeedForward { get; } = spec.FeedForward(layer);

    public VectorShape AttentionNorm => new($"{path}.input_layernorm.weight", spec.Hidden);

    public ModuleShape Query => new ModuleShape($"{path}.self_attn.q_proj", Queries, spec.Hidden, spec.Attention.InputBias).TakeRows(OwnQueries);

    public ModuleShape Key => new ModuleShape($"{path}.self_attn.k_proj", Keys, spec.Hidden, spec.Attention.InputBias).TakeRows(OwnKeys);

    public ModuleShape Value => new ModuleShape($"{path}.self_attn.v_proj", Keys, spec.Hidden, spec.Attention.InputBias).TakeRows(OwnKeys);

    public VectorShape? QueryNorm => Norm("q_norm", Queries, OwnQueries);

    public VectorShape? KeyNorm => Norm("k_norm", Keys, OwnKeys);

    public VectorShape? Sinks => spec.Attention.Sinks
        ? new VectorShape($"{path}.self_attn.sinks", spec.Attention.Heads).Take(share.Of(spec.Attention.Heads))
        : null;

    public ModuleShape Output =>
        new ModuleShape($"{path}.self_attn.o_proj", spec.Hidden, Queries, spec.Attention.OutputBias).TakeColumns(OwnQueries);

    public VectorShape FeedForwardNorm => new($"{path}.post_attention_layernorm.weight", spec.Hidden);

    /// <summary>The dense part; null where there is none.</summary>
    public MlpModules? Dense =>
        FeedForward.Dense == 0
            ? null
            : new(FeedForward.Experts is null ? $"{path}.mlp" : $"{path}.mlp.shared_experts", spec.Hidden, FeedForward.Dense, share);

    /// <summary>The routed experts; null where there are none.</summary>
    public ExpertModules? Experts => FeedForward.Experts is { } experts ? new(experts, path, spec.Hidden, share) : null;

    /// <summary>The linear modules of attention.</summary>
    public IEnumerable<ModuleShape> Attention => [Query, Key, Value, Output];

    /// <summary>All vectors that are no bias of a linear module.</summary>
    public IEnumerable<VectorShape> Vectors =>
        new[] { AttentionNorm, QueryNorm, KeyNorm, Sinks, FeedForwardNorm, Experts?.Correction }.OfType<VectorShape>();

    private int Queries => spec.Attention.Heads * spec.Attention.HeadDim;

    private int Keys => spec.Attention.KeyValueHeads * spec.Attention.HeadDim;

    private Part OwnQueries => share.Of(spec.Attention.Heads).Times(spec.Attention.HeadDim);

    private Part OwnKeys => share.KeyHeads(spec.Attention.KeyValueHeads).Times(spec.Attention.HeadDim);

    private VectorShape? Norm(string name, int heads, Part own) => spec.Attention.QkNorm switch
    {
        QkNorm.None => null,
        QkNorm.PerHead => new($"{path}.self_attn.{name}.weight", spec.Attention.HeadDim),
        _ => new VectorShape($"{path}.self_attn.{name}.weight", heads).Take(own),
    };
}

/// <summary>The dense part of a feed-forward.</summary>
internal sealed class MlpModules(string path, int hidden, int width, DeviceShare share)
{
    public ModuleShape Gate => new ModuleShape($"{path}.gate_proj", width, hidden).TakeRows(share.Of(width));

    public ModuleShape Up => new ModuleShape($"{path}.up_proj", width, hidden).TakeRows(share.Of(width));

    public ModuleShape Down => new ModuleShape($"{path}.down_proj", hidden, width).TakeColumns(share.Of(width));

    /// <summary>All of them.</summary>
    public IEnumerable<ModuleShape> All => [Gate, Up, Down];
}

/// <summary>The routed experts of a layer and their router.</summary>
/// <param name="spec">How many there are, and how they are chosen: all of them.</param>
/// <param name="path">Of their layer.</param>
/// <param name="hidden">Width of the residual stream.</param>
/// <param name="share">The part of them that one of several devices holds; null: all.</param>
internal sealed class ExpertModules(MoeSpec spec, string path, int hidden, DeviceShare? share = null)
{
    private readonly DeviceShare share = share ?? DeviceShare.All;

    /// <summary>How many there are, and how they are chosen.</summary>
    public MoeSpec Spec => spec;

    /// <summary>The experts that are held here.</summary>
    public Part Held => share.Experts(spec.Experts);

    /// <summary>The part of an expert's width that is held here.</summary>
    public Part Width => share.DealsExperts ? new(0, spec.Hidden) : share.Of(spec.Hidden);

    public ModuleShape Router => new($"{path}.{spec.Names.Router}", spec.Experts, hidden, spec.RouterBias);

    public VectorShape? Correction => spec.CorrectionBias ? new($"{path}.{spec.Names.Correction}", spec.Experts) : null;

    /// <summary>What goes through the activation.</summary>
    public ModuleShape Gate(int expert) =>
        new ModuleShape($"{Expert(expert)}.{spec.Names.Gate}", spec.Hidden, hidden, spec.ExpertBias).TakeRows(Width);

    /// <summary>What it is multiplied with.</summary>
    public ModuleShape Up(int expert) =>
        new ModuleShape($"{Expert(expert)}.{spec.Names.Up}", spec.Hidden, hidden, spec.ExpertBias).TakeRows(Width);

    /// <summary>Back to the residual stream.</summary>
    public ModuleShape Down(int expert) =>
        new ModuleShape($"{Expert(expert)}.{spec.Names.Down}", hidden, spec.Hidden, spec.ExpertBias).TakeColumns(Width);

    /// <summary>The linear modules of all experts that are held here.</summary>
    public IEnumerable<ModuleShape> All => Indexes.SelectMany(e => new[] { Gate(e), Up(e), Down(e) });

    /// <summary>One of the three matrices of every expert that is held here.</summary>
    public ModuleShape[] Stack(Func<int, ModuleShape> matrix) => [.. Indexes.Select(matrix)];

    private IEnumerable<int> Indexes => Enumerable.Range(Held.First, Held.Count);

    private string Expert(int expert) => $"{path}.{spec.Names.Experts}.{expert}";
}
