using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Runs one prompt through a decoder of which one layer's weights are in memory at a time, and keeps the numbers: a model of any size in the memory
/// of its largest part. They are, to the bit, those of a decoder that is there as a whole.
/// </summary>
/// <param name="spec">What the decoder is.</param>
/// <param name="parts">Its weights.</param>
/// <param name="device">Where it runs; it stays its owner's.</param>
/// <param name="options">How.</param>
internal sealed class LayerwiseTracer(DecoderSpec spec, IDecoderParts parts, Device device, EngineOptions options)
{
    /// <summary>The numbers of one prompt; every weight is read once.</summary>
    /// <exception cref="BadInputException">The prompt is empty, too long, or not of the vocabulary; a tensor is missing or wrong.</exception>
    public StepTrace Run(IReadOnlyList<int> tokens, bool layers)
    {
        using var streams = new PromptStreams(spec, device, options, [tokens]);
        using var ends = new WeightBuilder(parts);
        var modules = new DecoderModules(spec);
        var trace = new StepTrace(tokens.Count, spec, layers);

        var embedding = ends.Weight(modules.Embedding);
        streams.Embed(embedding, trace);
        var tied = parts.HeadIsEmbedding(modules.Head);
        if (!tied) foreach (var item in ends.Take()) item.Dispose();

        for (var index = 0; index < spec.Layers; index++)
        {
            using var layer = DecoderWeights.LoadLayer(spec, parts, index);
            streams.Forward(layer, index, trace);
        }

        var head = tied ? embedding : ends.Weight(modules.Head);
        var norm = ends.Vector(modules.FinalNorm);
        foreach (var (first, count) in streams.Chunks())
        {
            trace.Begin(first);
            trace.Finish(streams.Logits(first, count, norm, head));
        }
        parts.Finish();
        return trace;
    }
}
