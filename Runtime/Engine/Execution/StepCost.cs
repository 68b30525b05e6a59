using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Execution;

/// <summary>
/// What a step must do at least: the weight bytes it reads and the multiplications it makes. Computed from the weights as they are held.
/// </summary>
internal sealed class StepCost
{
    private readonly DecoderSpec spec;
    private readonly long dense;          // bytes of all weights that every step reads
    private readonly long expert;         // bytes of one expert of one routed layer
    private readonly long denseProducts;  // multiply-adds a token, without head and experts
    private readonly long expertProducts; // multiply-adds a token, its experts in all layers
    private readonly long headProducts;   // multiply-adds for one row of logits

    public StepCost(DecoderSpec spec, DecoderWeights weights)
    {
        this.spec = spec;
        var routedLayers = weights.Layers.Count(layer => layer.Experts is not null);
        foreach (var layer in weights.Layers)
        {
            var routed = layer.Experts;
            Weight[] experts = routed is null ? [] : [routed.Gate.Weight, routed.Up.Weight, routed.Down.Weight];
            var shared = layer.Linears.Select(linear => linear.Weight).Except(experts).ToArray();
            dense += shared.Sum(weight => weight.Bytes);
            denseProducts += shared.Sum(Products);
            if (routed is null) continue;
            expert += experts.Sum(weight => weight.Bytes) / routed.Held.Count / routedLayers;
            expertProducts += experts.Sum(Products) * routed.Spec.PerToken;
        }
        dense += weights.Head.Bytes;
        headProducts = Products(weights.Head);
    }

    /// <summary>
    /// Bytes that a step reads: shared weights, the experts that were chosen, and the cached keys and values of what its sequences look back on.
    /// </summary>
    /// <param name="expertsRead">Distinct experts, summed over layers.</param>
    /// <param name="context">Tokens looked back on, summed over sequences.</param>
    /// <param name="type">In what precision they are cached.</param>
    public long Bytes(long expertsRead, long context, KvType type) => dense + (expertsRead * expert) + (context * KvStore.BytesPerToken(spec, type));

    /// <summary>Operations (a multiplication and an addition are two) in the weight products of a step; attention's own are left out.</summary>
    public double Operations(long tokens, long logitRows) => 2.0 * ((tokens * (denseProducts + expertProducts)) + (logitRows * headProducts));

    private static long Products(Weight weight) => (long)weight.Rows * weight.Columns;
}
