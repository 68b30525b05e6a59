using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Scheduling;

namespace Quilt.Quantizer.Verifying.Forward;

/// <summary>
/// A checkpoint's decoder of which one layer is in memory at a time, run a layer at a time on inputs that the caller gives: its own, or another
/// model's. Numbers are float32 and, on its own inputs, to the bit those of <see cref="LayerwiseTracer"/>.
/// </summary>
internal sealed class LayerRunner : IDisposable
{
    private readonly EngineOptions options = new();
    private readonly Device device;
    private readonly CheckpointParts parts;
    private readonly OpStream ops;
    private readonly RopeTable rope;
    private readonly ExpertPlan experts = new();
    private readonly StepPlan plan = new();

    /// <summary>A runner of a checkpoint, on a device whose owner it is not.</summary>
    public LayerRunner(Checkpoint checkpoint, Device device, CancellationToken cancel)
    {
        this.device = device;
        Spec = Architectures.Describe(checkpoint.Config);
        parts = new CheckpointParts(checkpoint, device, null, cancel);
        ops = new OpStream(device, Activations.Float);
        rope = RopeFrequencies.Table(Spec.Attention.Rope, Spec.Attention.MaxPositions);
    }

    /// <summary>The decoder's facts.</summary>
    public DecoderSpec Spec { get; }

    /// <summary>Refuses a prompt that a decoder cannot be run on.</summary>
    /// <exception cref="BadInputException">It is empty, too long, or not of the vocabulary.</exception>
    public static void Check(DecoderSpec spec, IReadOnlyList<int> prompt)
    {
        var most = Math.Min(new EngineOptions().BatchedTokens, spec.Attention.MaxPositions);
        if (prompt.Count == 0 || prompt.Count > most)
            throw new BadInputException("prompt", null, $"expected 1 to {most} tokens, found {prompt.Count}");
        foreach (var id in prompt)
        {
            if ((uint)id >= (uint)spec.VocabularySize)
                throw new BadInputException("prompt", null, $"expected token ids from 0 to {spec.VocabularySize - 1}, found {id}");
        }
    }

    /// <summary>For each prompt what enters layer 0, [tokens, model].</summary>
    /// <exception cref="BadInputException">A prompt is empty, too long, or not of the vocabulary.</exception>
    public float[][] Embed(IReadOnlyList<int[]> prompts)
    {
        foreach (var prompt in prompts) Check(Spec, prompt);
        using var ends = new WeightBuilder(parts);
        var embedding = ends.Weight(new DecoderModules(Spec).Embedding);
        return [.. prompts.Select(prompt =>
        {
            var inputs = Begin(new Sequence(prompt));
            var x = ops.Scratch(prompt.Length, Spec.Hidden);
            ops.Embed(inputs.Tokens, embedding, into: x);
            return ops.ToHost(x).Values.ToArray();
        })];
    }

    /// <summary>One layer, read once, on any number of sequences, each [tokens, model] from its first position on.</summary>
    public LayerOutput[] Layer(int index, IReadOnlyList<float[]> sequences)
    {
        using var layer = DecoderWeights.LoadLayer(Spec, parts, index);
        return [.. sequences.Select(rows => Run(layer, index, rows))];
    }

    /// <summary>For each sequence that has been through all layers the logits after every token, [tokens, vocabulary].</summary>
    public float[][] Logits(IReadOnlyList<float[]> sequences)
    {
        var modules = new DecoderModules(Spec);
        using var ends = new WeightBuilder(parts);
        var norm = ends.Vector(modules.FinalNorm);
        var head = ends.Weight(parts.HeadIsEmbedding(modules.Head) ? modules.Embedding : modules.Head);
        return [.. sequences.Select(rows =>
        {
            Begin(Placeholder(rows));
            var x = ToDevice(rows);
            ops.RmsNorm(x, norm, Spec.NormEpsilon, into: x);
            var logits = ops.Scratch(x.Rows, Spec.VocabularySize);
            head.MatMul(ops, x, logits);
            return ops.ToHost(logits).Values.ToArray();
        })];
    }

    public void Dispose()
    {
        experts.Dispose();
        rope.Dispose();
        ops.Dispose();
    }

    private LayerOutput Run(DecoderLayer layer, int index, float[] rows)
    {
        var sequence = Placeholder(rows);
        var inputs = Begin(sequence);
        using var kv = new KvLayer(sequence.BlockTable.Count, options.BlockTokens, Spec.Attention.KeyValueHeads, Spec.Attention.HeadDim,
            KvType.Float32, device, layer.CacheScales);
        ops.Reach(rope, plan.LastPosition);
        var x = ToDevice(rows);
        layer.Forward(new LayerPass(inputs, ops, rope, experts, observer: null), kv, x);
        var hidden = ops.ToHost(x).Values.ToArray();
        if (layer.Experts is null) return new LayerOutput(hidden, []);
        experts.Fetch(ops);
        return new LayerOutput(hidden, experts.Ids.AsSpan(0, experts.Pairs).ToArray());
    }

    // Which tokens they once were no longer matters.
    private Sequence Placeholder(float[] rows) => new(new int[rows.Length / Spec.Hidden]);

    private StepInputs Begin(Sequence sequence)
    {
        var tokens = sequence.Tokens.Count;
        ops.Reset();
        plan.TryReset();
        sequence.BlockTable.AddRange(Enumerable.Range(0, (tokens + options.BlockTokens - 1) / options.BlockTokens));
        plan.Add(sequence, tokens, options.BlockTokens, LogitsOf.EveryToken);
        return new StepInputs(plan, ops);
    }

    private Matrix ToDevice(float[] rows)
    {
        var x = ops.HostScratch(rows.Length / Spec.Hidden, Spec.Hidden);
        rows.CopyTo(x.Values);
        return ops.ToDevice(x);
    }
}

/// <summary>What a layer makes of a sequence.</summary>
/// <param name="Hidden">[tokens, model] the residual stream after it.</param>
/// <param name="RouterIds">[tokens, experts a token] the experts chosen, ascending for each token; empty for a layer without any.</param>
internal sealed record LayerOutput(float[] Hidden, int[] RouterIds);
