using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>The numbers inside a forward pass over one prompt, for comparing implementations.</summary>
public sealed class StepTrace
{
    private readonly bool layers;
    private int done;

    internal StepTrace(int tokens, DecoderSpec spec, bool layers)
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

    internal void Embedded(Matrix x, OpStream ops)
    {
        if (layers) ops.ToHost(x).Values.CopyTo(Embedding.AsSpan(done * Hidden));
    }

    internal void Layer(int layer, Matrix x, ExpertPlan experts, OpStream ops)
    {
        if (!layers) return;
        ops.ToHost(x).Values.CopyTo(LayerHidden[layer].AsSpan(done * Hidden));
        if (RouterIds[layer].Length == 0) return;
        experts.Fetch(ops);
        experts.Ids.AsSpan(0, experts.Pairs).CopyTo(RouterIds[layer].AsSpan(done * ExpertsPerToken));
        experts.Gates.AsSpan(0, experts.Pairs).CopyTo(RouterWeights[layer].AsSpan(done * ExpertsPerToken));
    }

    /// <summary>Takes the logits of a chunk of the prompt; the next chunk's numbers go behind them.</summary>
    internal void Finish(Matrix logits)
    {
        logits.Values.CopyTo(Logits.AsSpan(done * VocabularySize));
        done += logits.Rows;
    }

    private static T[][] Make<T>(int layers, Func<int, int> length)
    {
        var arrays = new T[layers][];
        for (var i = 0; i < layers; i++) arrays[i] = new T[length(i)];
        return arrays;
    }
}
