using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Models;

/// <summary>The forward pass, top to bottom: a step's tokens in, logits out. One for all architectures, formats and devices.</summary>
internal sealed class Decoder(DecoderSpec spec, DecoderWeights weights) : IDisposable
{
    private readonly RopeTable rope = RopeFrequencies.Table(spec.Attention.Rope, spec.Attention.MaxPositions);
    private readonly ExpertPlan experts = new();

    /// <summary>What this decoder is.</summary>
    public DecoderSpec Spec => spec;

    /// <summary>Its weights.</summary>
    public DecoderWeights Weights => weights;

    /// <summary>Distinct experts that the last step read, summed over layers; 0 on a GPU, which does not tell.</summary>
    public int ExpertsRead { get; private set; }

    /// <summary>
    /// Runs one step and writes its keys and values into <paramref name="kv"/>. Returns logits [plan.LogitRows, vocabulary] in scratch memory of
    /// <paramref name="ops"/>.
    /// </summary>
    public Matrix Forward(StepPlan plan, KvStore kv, OpStream ops, StepTrace? trace = null) =>
        Forward(plan, new StepInputs(plan, ops), kv, ops, trace);

    /// <summary>The same with inputs that were placed before, so that others could be placed behind them.</summary>
    public Matrix Forward(StepPlan plan, in StepInputs step, KvStore kv, OpStream ops, StepTrace? trace = null)
    {
        ops.Reach(rope, plan.LastPosition);
        if (trace is not null || !plan.IsDecoding || ops.Gpu?.Recordings is not { } recordings) return Layers(step, kv, ops, trace);

        var shape = new StepShape(plan.Tokens.Length, PagedAttentionOp.SpansFor(plan.LastPosition), kv);
        if (recordings.TryRun(shape, out var logits)) return logits;
        recordings.Begin(shape);
        try
        {
            logits = Layers(step, kv, ops, trace);
        }
        catch
        {
            recordings.Abandon();
            throw;
        }
        return recordings.TryEnd(logits) ? logits : Layers(step, kv, ops, trace);
    }

    public void Dispose()
    {
        experts.Dispose();
        rope.Dispose();
        weights.Dispose();
    }

    private Matrix Layers(in StepInputs step, KvStore kv, OpStream ops, StepTrace? trace)
    {
        var x = ops.Scratch(step.Tokens.Length, spec.Hidden);                               // [tokens, model], the residual stream
        var h = ops.Scratch(x.Rows, spec.Hidden);                                           // its norm, what a part of a layer works on
        var update = ops.Scratch(x.Rows, spec.Hidden);                                      // what is added to it next
        ops.Embed(step.Tokens, weights.Embedding, into: x);
        trace?.Embedded(x, ops);
        ExpertsRead = 0;

        ops.RmsNorm(x, weights.Layers[0].AttentionNorm, spec.NormEpsilon, into: h);
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            Attend(weights.Layers[layer], kv[layer], h, step, ops, update);
            ops.AddRmsNorm(update, x, weights.Layers[layer].FeedForwardNorm, spec.NormEpsilon, into: h);
            FeedForward(weights.Layers[layer], h, ops, x, update);
            if (layer + 1 < spec.Layers) ops.AddRmsNorm(update, x, weights.Layers[layer + 1].AttentionNorm, spec.NormEpsilon, into: h);
            else ops.Add(update, into: x);
            trace?.Layer(layer, x, experts, ops);
        }

        var last = ops.Scratch(step.LogitRows.Length, spec.Hidden);
        ops.Gather(x, step.LogitRows, into: last);
        ops.RmsNorm(last, weights.FinalNorm, spec.NormEpsilon, into: last);
        var logits = ops.Scratch(last.Rows, spec.VocabularySize);
        weights.Head.MatMul(ops, last, logits);
        return logits;                                                                      // [rows that are asked for, vocabulary]
    }

    private void Attend(DecoderLayer layer, KvLayer kv, Matrix h, in StepInputs step, OpStream ops, Matrix update)
    {
        var a = spec.Attention;
        var mark = ops.Mark();
        var q = ops.Scratch(h.Rows, a.Heads * a.HeadDim);
        var k = ops.Scratch(h.Rows, a.KeyValueHeads * a.HeadDim);
        var v = ops.Scratch(h.Rows, a.KeyValueHeads * a.HeadDim);

        Linear.MatMul(ops, h, (layer.Query, q), (layer.Key, k), (layer.Value, v));
        ops.NormRope(q, layer.QueryNorm, k, layer.KeyNorm, a.HeadDim, a.QkNorm == QkNorm.PerHead, spec.NormEpsilon, rope, step.Positions);
        ops.WriteKv(k, v, kv, step.Slots);
        ops.PagedAttention(q, a.Heads, kv, step.Positions, step.TableStarts, step.Tables, a.Scale, into: q, layer.Window, layer.Sinks);
        layer.Output.MatMul(ops, q, update);
        ops.Release(mark);
    }

    /// <summary>Leaves in <paramref name="update"/> what is to be added to <paramref name="x"/> yet.</summary>
    private void FeedForward(DecoderLayer layer, Matrix h, OpStream ops, Matrix x, Matrix update)
    {
        var mark = ops.Mark();
        if (layer.Experts is { } routed) Experts(routed, h, ops, update);
        if (layer.Experts is not null && layer.Dense is not null) ops.Add(update, into: x);
        if (layer.Dense is { } dense) Dense(dense, h, ops, update);
        ops.Release(mark);
    }

    private void Experts(ExpertWeights layer, Matrix h, OpStream ops, Matrix update)
    {
        var moe = layer.Spec;
        var choice = ops.Scratch(h.Rows, moe.Experts);
        layer.Router.MatMul(ops, h, choice);                                                // float32 throughout
        ops.Route(choice, layer.Correction, moe.Routing, experts);
        ExpertsRead += experts.ActiveCount;

        var gate = ops.Scratch(experts.Pairs, moe.Hidden);                                  // [pairs, expert width]
        var down = ops.Scratch(experts.Pairs, spec.Hidden);
        layer.Activate(ops, h, experts, into: gate);                                        // silu(gate) * up, or what the family has instead
        layer.Down.MatMulExperts(ops, gate, experts, ExpertRows.Pairs, down);
        ops.Combine(down, experts, into: update);
    }

    private static void Dense(MlpWeights layer, Matrix h, OpStream ops, Matrix update)
    {
        var gate = ops.Scratch(h.Rows, layer.Gate.Weight.Rows);                             // [tokens, dense width]
        var up = ops.Scratch(h.Rows, layer.Up.Weight.Rows);
        layer.Gate.MatMul(ops, h, gate);
        layer.Up.MatMul(ops, h, up);
        ops.SiluMul(gate, up, into: gate);
        layer.Down.MatMul(ops, gate, update);
    }
}
