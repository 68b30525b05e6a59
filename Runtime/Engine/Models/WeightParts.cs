using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>What each weight of a decoder is for in a step.</summary>
internal static class WeightParts
{
    /// <summary>All weights that a step multiplies with. A head that is the embedding too is a head here: looking rows up is no product.</summary>
    public static Dictionary<Weight, StepPart> Of(DecoderWeights weights)
    {
        var parts = new Dictionary<Weight, StepPart>(ReferenceEqualityComparer.Instance);
        foreach (var layer in weights.Layers)
        {
            foreach (var linear in new[] { layer.Query, layer.Key, layer.Value }) parts[linear.Weight] = StepPart.Qkv;
            parts[layer.Output.Weight] = StepPart.Output;
            if (layer.Dense is { } dense) Add(dense.Gate, dense.Up, dense.Down);
            if (layer.Experts is not { } experts) continue;
            parts[experts.Router.Weight] = StepPart.Router;
            Add(experts.Gate, experts.Up, experts.Down);
        }
        parts[weights.Head] = StepPart.Head;
        return parts;

        void Add(Linear gate, Linear up, Linear down)
        {
            parts[gate.Weight] = StepPart.GateUp;
            parts[up.Weight] = StepPart.GateUp;
            parts[down.Weight] = StepPart.Down;
        }
    }
}
