using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Runs one prompt through a decoder of which one layer's weights are in memory at a time, and keeps the numbers: a model of any size in the memory
/// of its largest part. They are, to the bit, those of a decoder that is there as a whole.
/// </summary>
internal sealed class LayerwiseTracer : IDisposable
{
    private readonly DecoderSpec spec;
    private readonly IDecoderParts parts;
    private readonly EngineOptions options;
    private readonly Device device;
    private readonly OpStream ops;
    private readonly RopeTable rope;
    private readonly ExpertPlan experts = new();
    private readonly StepPlan plan = new();

    /// <summary>A tracer for a decoder of these parts, on a device whose owner it is not.</summary>
    public LayerwiseTracer(DecoderSpec spec, IDecoderParts parts, Device device, EngineOptions options)
    {
        (this.spec, this.parts, this.device, this.options) = (spec, parts, device, options);
        ops = new OpStream(device, options.Activations);
        rope = RopeFrequencies.Table(spec.Attention.Rope, spec.Attention.MaxPositions);
    }

    /// <summary>The numbers of one prompt; every weight is read once.</summary>
    /// <exception cref="BadInputException">The prompt is empty, too long, or not of the vocabulary; a tensor is missing or wrong.</exception>
    public StepTrace Run(IReadOnlyList<int> tokens, bool layers)
    {
        Check(tokens);
        var modules = new DecoderModules(spec);
        var trace = new StepTrace(tokens.Count, spec, layers);
        var sequence = new Sequence(tokens);
        sequence.BlockTable.AddRange(Enumerable.Range(0, (tokens.Count + options.BlockTokens - 1) / options.BlockTokens));
        using var stream = new NativeBuffer((long)tokens.Count * spec.Hidden * sizeof(float));
        using var ends = new WeightBuilder(parts);

        var embedding = ends.Weight(modules.Embedding);
        foreach (var first in Chunks(tokens.Count)) Embed(sequence, first, embedding, stream, trace);
        var tied = parts.HeadIsEmbedding(modules.Head);
        if (!tied) foreach (var item in ends.Take()) item.Dispose();

        for (var layer = 0; layer < spec.Layers; layer++) Layer(layer, sequence, stream, trace);

        var head = tied ? embedding : ends.Weight(modules.Head);
        var norm = ends.Vector(modules.FinalNorm);
        foreach (var first in Chunks(tokens.Count)) Head(sequence, first, norm, head, stream, trace);
        parts.Finish();
        return trace;
    }

    public void Dispose()
    {
        experts.Dispose();
        rope.Dispose();
        ops.Dispose();
    }

    private void Embed(Sequence sequence, int first, Weight embedding, NativeBuffer stream, StepTrace trace)
    {
        var inputs = Begin(sequence, first, trace);
        var x = ops.Scratch(inputs.Tokens.Length, spec.Hidden);
        ops.Embed(inputs.Tokens, embedding, into: x);
        trace.Embedded(ops, x);
        ops.ToHost(x).Values.CopyTo(Rows(stream, first, x.Rows).Values);
    }

    private void Layer(int index, Sequence sequence, NativeBuffer stream, StepTrace trace)
    {
        using var layer = DecoderWeights.LoadLayer(spec, parts, index);
        using var kv = new KvLayer(sequence.BlockTable.Count, options.BlockTokens, spec.Attention.KeyValueHeads, spec.Attention.HeadDim,
            options.KvType ?? KvType.Float32, device, layer.CacheScales);
        foreach (var first in Chunks(sequence.Tokens.Count))
        {
            var inputs = Begin(sequence, first, trace);
            ops.Reach(rope, plan.LastPosition);
            var rows = Rows(stream, first, inputs.Tokens.Length);
            var x = ops.ToDevice(rows);
            layer.Forward(new LayerPass(inputs, ops, rope, experts, trace), kv, x);
            trace.Layer(ops, index, x, layer.Experts is null ? null : experts);
            if (x.IsOnDevice) ops.ToHost(x).Values.CopyTo(rows.Values);
        }
    }

    private void Head(Sequence sequence, int first, NativeBuffer norm, Weight head, NativeBuffer stream, StepTrace trace)
    {
        var inputs = Begin(sequence, first, trace);
        var x = ops.ToDevice(Rows(stream, first, inputs.Tokens.Length));
        ops.RmsNorm(x, norm, spec.NormEpsilon, into: x);
        var logits = ops.Scratch(x.Rows, spec.VocabularySize);
        head.MatMul(ops, x, logits);
        trace.Finish(ops.ToHost(logits));
    }

    private StepInputs Begin(Sequence sequence, int first, StepTrace trace)
    {
        ops.Reset();
        plan.TryReset();
        sequence.Computed = first;
        plan.Add(sequence, Math.Min(options.BatchedTokens, sequence.Tokens.Count - first), options.BlockTokens, LogitsOf.EveryToken);
        trace.Begin(first);
        return new StepInputs(plan, ops);
    }

    private IEnumerable<int> Chunks(int tokens)
    {
        for (var first = 0; first < tokens; first += options.BatchedTokens) yield return first;
    }

    private unsafe Matrix Rows(NativeBuffer stream, int first, int count) =>
        new((float*)stream.Data + ((long)first * spec.Hidden), count, spec.Hidden);

    private void Check(IReadOnlyList<int> tokens)
    {
        if (tokens.Count == 0 || tokens.Count > spec.Attention.MaxPositions)
            throw new BadInputException("prompt", null, $"expected 1 to {spec.Attention.MaxPositions} tokens, found {tokens.Count}");
        foreach (var id in tokens)
        {
            if ((uint)id >= (uint)spec.VocabularySize)
                throw new BadInputException("prompt", null, $"expected token ids from 0 to {spec.VocabularySize - 1}, found {id}");
        }
    }
}
