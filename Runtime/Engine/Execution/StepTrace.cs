using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Execution;

/// <summary>The numbers inside a forward pass over one prompt, for comparing implementations.</summary>
internal sealed class StepTrace : StepObserver
{
    private readonly bool layers;
    private int first;

    public StepTrace(int tokens, DecoderSpec spec, bool layers)
    {
        this.layers = layers;
        (Tokens, Hidden, VocabularySize, ExpertsPerToken) = (tokens, spec.Hidden, spec.VocabularySize, spec.Experts?.PerToken ?? 0);
        Logits = new float[checked(tokens * spec.VocabularySize)];
        if (!layers) return;
        Embedding = new float[tokens * spec.Hidden];
        LayerHidden = Make<float>(spec.Layers, _ => tokens * spec.Hidden);
        RouterIds = Make<int>(spec.Layers, Routed);
        RouterWeights = Make<float>(spec.Layers, Routed);

        int Routed(int layer) => spec.FeedForward(layer).Experts is null ? 0 : tokens * ExpertsPerToken;
    }

    /// <summary>T, tokens in the prompt.</summary>
    public int Tokens { get; }

    /// <summary>D, width of the residual stream.</summary>
    public int Hidden { get; }

    /// <summary>V, entries in a row of logits.</summary>
    public int VocabularySize { get; }

    /// <summary>K, experts a token goes to; 0 for a model without any.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>[T, V] logits after every token.</summary>
    public float[] Logits { get; }

    /// <summary>[T, D] what enters layer 0; empty unless layers were asked for.</summary>
    public float[] Embedding { get; } = [];

    /// <summary>For each layer [T, D]: the residual stream after it; empty unless layers were asked for.</summary>
    public IReadOnlyList<float[]> LayerHidden { get; } = [];

    /// <summary>
    /// For each layer [T, K]: the experts of each token, ascending; nothing for a layer without experts. Empty unless layers were asked for.
    /// </summary>
    public IReadOnlyList<int[]> RouterIds { get; } = [];

    /// <summary>For each layer [T, K]: what the experts' outputs are multiplied with, in the order of <see cref="RouterIds"/>.</summary>
    public IReadOnlyList<float[]> RouterWeights { get; } = [];

    public override void Begin(int token) => first = token;

    public override void Embedded(OpStream ops, Matrix x)
    {
        if (layers) ops.ToHost(x).Values.CopyTo(Embedding.AsSpan(first * Hidden));
    }

    public override void Layer(OpStream ops, int layer, Matrix x, ExpertPlan? experts)
    {
        if (!layers) return;
        ops.ToHost(x).Values.CopyTo(LayerHidden[layer].AsSpan(first * Hidden));
        if (experts is null) return;
        experts.Fetch(ops);
        experts.Ids.AsSpan(0, experts.Pairs).CopyTo(RouterIds[layer].AsSpan(first * ExpertsPerToken));
        experts.Gates.AsSpan(0, experts.Pairs).CopyTo(RouterWeights[layer].AsSpan(first * ExpertsPerToken));
    }

    /// <summary>Takes the logits of a chunk of the prompt.</summary>
    public void Finish(Matrix logits) => logits.Values.CopyTo(Logits.AsSpan(first * VocabularySize));

    private static T[][] Make<T>(int layers, Func<int, int> length)
    {
        var arrays = new T[layers][];
        for (var i = 0; i < layers; i++) arrays[i] = new T[length(i)];
        return arrays;
    }
}
