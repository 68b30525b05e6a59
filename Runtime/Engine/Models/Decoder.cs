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

    /// <summary>Runs one step and writes its keys and values into <paramref name="kv"/>. Returns logits [plan.LogitRows, vocabulary] in scratch memory of <paramref name="ops"/>.</summary>
    public Matrix Forward(StepPlan plan, KvStore kv, OpStream ops, StepTrace? trace = null) => Forward(plan, new StepInputs(plan, ops), kv, ops, trace);

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
        var update = ops.Scratch(x.Rows, spec.Hidden);                                      // what is added to it next
        ops.Embed(step.Tokens, weights.Embedding, into: x);
        trace?.Embedded(x, ops);
        ExpertsRead = 0;

        for (var layer = 0; layer < spec.Layers; layer++)
        {
            Attend(weights.Layers[layer], kv[layer], x, step, ops, update);
            FeedForward(weights.Layers[layer], x, ops, update);
            trace?.Layer(layer, x, experts, ops);
        }

        var last = ops.Scratch(step.LogitRows.Length, spec.Hidden);
        ops.Gather(x, step.LogitRows, into: last);
        ops.RmsNorm(last, weights.FinalNorm, spec.NormEpsilon, into: last);
        var logits = ops.Scratch(last.Rows, spec.VocabularySize);
        weights.Head.MatMul(ops, last, logits);
        return logits;                                                                      // [rows that are asked for, vocabulary]
    }

    private void Attend(DecoderLayer layer, KvLayer kv, Matrix x, in StepInputs step, OpStream ops, Matrix update)
    {
        var a = spec.Attention;
        var mark = ops.Mark();
        var h = ops.Scratch(x.Rows, spec.Hidden);
        var q = ops.Scratch(x.Rows, a.Heads * a.HeadDim);
        var k = ops.Scratch(x.Rows, a.KeyValueHeads * a.HeadDim);
        var v = ops.Scratch(x.Rows, a.KeyValueHeads * a.HeadDim);

        ops.RmsNorm(x, layer.AttentionNorm, spec.NormEpsilon, into: h);
        layer.Query.MatMul(ops, h, q);
        layer.Key.MatMul(ops, h, k);
        layer.Value.MatMul(ops, h, v);

        if (layer.QueryNorm is { } queryNorm) NormHeads(q, a.Heads, queryNorm, ops);
        if (layer.KeyNorm is { } keyNorm) NormHeads(k, a.KeyValueHeads, keyNorm, ops);
        ops.Rope(q, a.Heads, a.HeadDim, rope, step.Positions);
        ops.Rope(k, a.KeyValueHeads, a.HeadDim, rope, step.Positions);

        ops.WriteKv(k, v, kv, step.Slots);
        ops.PagedAttention(q, a.Heads, kv, step.Positions, step.TableStarts, step.Tables, a.Scale, into: q, layer.Window, layer.Sinks);
        layer.Output.MatMul(ops, q, update);
        ops.Add(update, into: x);
        ops.Release(mark);
    }

    private void NormHeads(Matrix heads, int count, NativeBuffer gain, OpStream ops)
    {
        var rows = spec.Attention.QkNorm == QkNorm.PerHead ? heads.Cut(count) : heads;      // each head, or all heads of a token at once
        ops.RmsNorm(rows, gain, spec.NormEpsilon, into: rows);
    }

    private void FeedForward(DecoderLayer layer, Matrix x, OpStream ops, Matrix update)
    {
        var mark = ops.Mark();
        var h = ops.Scratch(x.Rows, spec.Hidden);
        ops.RmsNorm(x, layer.FeedForwardNorm, spec.NormEpsilon, into: h);
        if (layer.Experts is { } routed)
        {
            Experts(routed, h, ops, update);
            ops.Add(update, into: x);
        }
        if (layer.Dense is { } dense)
        {
            Dense(dense, h, ops, update);
            ops.Add(update, into: x);
        }
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
