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
            foreach (var linear in new[] { layer.Query, layer.Key, layer.Value }) Add(StepPart.Qkv, linear.Weight);
            Add(StepPart.Output, layer.Output.Weight);
            if (layer.Dense is { } dense) AddMlp(dense.Gate, dense.Up, dense.Down);
            if (layer.Experts is not { } experts) continue;
            Add(StepPart.Router, experts.Router.Weight);
            AddMlp(experts.Gate, experts.Up, experts.Down);
        }
        Add(StepPart.Head, weights.Head);
        return parts;

        void AddMlp(Linear gate, Linear up, Linear down)
        {
            Add(StepPart.GateUp, gate.Weight);
            Add(StepPart.GateUp, up.Weight);
            Add(StepPart.Down, down.Weight);
        }

        // Experts that are stored in different ways are multiplied one by one.
        void Add(StepPart part, Weight weight)
        {
            parts[weight] = part;
            if (weight is not ExpertList list) return;
            foreach (var expert in list.Weights) parts[expert] = part;
        }
    }
}
