using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;

namespace Quilt.Runtime.Models;

/// <summary>
/// The forward pass, top to bottom: a step's tokens in, logits out (docs/forward-pass.md). One for all architectures, formats, devices.
/// </summary>
internal sealed class Decoder(DecoderSpec spec, DecoderWeights weights) : IDisposable
{
    private readonly RopeTable rope = RopeFrequencies.Table(spec.Attention.Rope, spec.Attention.MaxPositions);
    private readonly ExpertPlan experts = new();
    private readonly ExpertPlan own = new();

    /// <summary>What this decoder is.</summary>
    public DecoderSpec Spec => spec;

    /// <summary>Its weights.</summary>
    public DecoderWeights Weights => weights;

    /// <summary>Distinct experts that the last step read, summed over layers; 0 on a GPU, which does not tell.</summary>
    public int ExpertsRead { get; private set; }

    /// <summary>Makes the table of angles cover a position; to be called before a step that reaches it.</summary>
    public void Reach(OpStream ops, int position) => ops.Reach(rope, position);

    /// <summary>
    /// Runs one step and writes its keys and values into <paramref name="kv"/>. Returns logits [rows asked for, vocabulary] in scratch memory of
    /// <paramref name="ops"/>.
    /// </summary>
    /// <param name="step">The step's integers.</param>
    /// <param name="kv">The cache.</param>
    /// <param name="ops">The order of work on the device.</param>
    /// <param name="observer">Who watches; null: nobody.</param>
    /// <param name="link">
    /// What ties the device to others, all of which run this at the same time; the logits are then in the host's memory. Null: there are none.
    /// </param>
    public Matrix Forward(in StepInputs step, KvStore kv, OpStream ops, StepObserver? observer = null, DeviceLink? link = null)
    {
        var pass = new LayerPass(step, ops, rope, experts, observer, link, own);
        var x = ops.Scratch(step.Tokens.Length, spec.Hidden);                               // [tokens, model], the residual stream
        var h = ops.Scratch(x.Rows, spec.Hidden);                                           // its norm, what a part of a layer works on
        var update = ops.Scratch(x.Rows, spec.Hidden);                                      // what is added to it next
        ops.Embed(step.Tokens, weights.Embedding, into: x);
        link?.Embedded(ops, x);
        observer?.Embedded(ops, x);
        ExpertsRead = 0;

        var layers = weights.Layers;
        ops.RmsNorm(x, layers[0].AttentionNorm, spec.NormEpsilon, into: h);
        for (var i = 0; i < layers.Length; i++)
        {
            layers[i].Forward(pass, kv[i], x, h, update);
            if (i + 1 < layers.Length) ops.AddRmsNorm(update, x, layers[i + 1].AttentionNorm, spec.NormEpsilon, into: h);
            else ops.Add(update, into: x);
            if (layers[i].Experts is not null) ExpertsRead += experts.ActiveCount;
            observer?.Layer(ops, i, x, layers[i].Experts is null ? null : experts);
        }

        var logits = Logits(ops, x, step.LogitRows);
        return link is null ? logits : link.Gather(ops, logits, spec.VocabularySize);
    }

    public void Dispose()
    {
        experts.Dispose();
        own.Dispose();
        rope.Dispose();
        weights.Dispose();
    }

    private Matrix Logits(OpStream ops, Matrix x, Ints rows)
    {
        var last = ops.Scratch(rows.Length, spec.Hidden);
        ops.Gather(x, rows, into: last);
        ops.RmsNorm(last, weights.FinalNorm, spec.NormEpsilon, into: last);
        var logits = ops.Scratch(last.Rows, weights.Head.Rows);
        weights.Head.MatMul(ops, last, logits);
        return logits;
    }
}
