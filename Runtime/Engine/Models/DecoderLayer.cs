using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>
/// One layer of a decoder: attention, then what stands between it and the next layer. Shapes of weights are [outputs, inputs]. Owns its weights.
/// </summary>
internal sealed class DecoderLayer(DecoderSpec spec, IReadOnlyList<IDisposable> owned) : IDisposable
{
    /// <summary>Positions that a token sees, its own included.</summary>
    public required int Window { get; init; }

    /// <summary>What a cache in FP8 keeps its keys and values by; null: scales of their own.</summary>
    public required KvScales? CacheScales { get; init; }

    public required NativeBuffer AttentionNorm { get; init; }     // [model]
    public required Linear Query { get; init; }                   // [heads * headDim, model]
    public required Linear Key { get; init; }                     // [kvHeads * headDim, model]
    public required Linear Value { get; init; }                   // [kvHeads * headDim, model]
    public required NativeBuffer? QueryNorm { get; init; }        // [heads * headDim] or [headDim]
    public required NativeBuffer? KeyNorm { get; init; }          // [kvHeads * headDim] or [headDim]
    public required NativeBuffer? Sinks { get; init; }            // [heads]
    public required Linear Output { get; init; }                  // [model, heads * headDim]
    public required NativeBuffer FeedForwardNorm { get; init; }   // [model]
    public required DenseMlp? Dense { get; init; }
    public required RoutedExperts? Experts { get; init; }

    /// <summary>Its linear layers, routers included.</summary>
    public IEnumerable<Linear> Linears => new[]
    {
        Query, Key, Value, Output, Dense?.Gate, Dense?.Up, Dense?.Down, Experts?.Router, Experts?.Gate, Experts?.Up, Experts?.Down,
    }.OfType<Linear>();

    /// <summary>Bytes of its weights as held.</summary>
    public long Bytes => owned.Sum(WeightBuilder.BytesOf);

    /// <summary>The layer by itself: <paramref name="x"/> [tokens, model], the residual stream, goes through it.</summary>
    public void Forward(in LayerPass pass, KvLayer kv, Matrix x)
    {
        var mark = pass.Ops.Mark();
        var h = pass.Ops.Scratch(x.Rows, x.Columns);
        var update = pass.Ops.Scratch(x.Rows, x.Columns);
        pass.Ops.RmsNorm(x, AttentionNorm, spec.NormEpsilon, into: h);
        Forward(pass, kv, x, h, update);
        pass.Ops.Add(update, into: x);
        pass.Ops.Release(mark);
    }

    /// <summary>
    /// The layer among others, whose last sum and first norm are one operation: <paramref name="h"/> comes in as the norm of <paramref name="x"/>,
    /// and <paramref name="update"/> goes out as what is still to be added to it.
    /// </summary>
    public void Forward(in LayerPass pass, KvLayer kv, Matrix x, Matrix h, Matrix update)
    {
        Attend(pass, kv, h, update);
        pass.Ops.AddRmsNorm(update, x, FeedForwardNorm, spec.NormEpsilon, into: h);
        FeedForward(pass, x, h, update);
    }

    /// <summary>
    /// What the router chooses where <paramref name="x"/> [tokens, model] enters the layer: attention is added to it, the experts are not asked. The
    /// layer must have a router.
    /// </summary>
    public void Route(in LayerPass pass, KvLayer kv, Matrix x)
    {
        var mark = pass.Ops.Mark();
        var h = pass.Ops.Scratch(x.Rows, x.Columns);
        AttendInto(pass, kv, x, h);
        Experts!.Route(pass, h);
        pass.Ops.Release(mark);
    }

    /// <summary>
    /// The first half by itself: attention is added to <paramref name="x"/> [tokens, model], and <paramref name="h"/> becomes what the second half
    /// reads.
    /// </summary>
    public void AttendInto(in LayerPass pass, KvLayer kv, Matrix x, Matrix h)
    {
        var mark = pass.Ops.Mark();
        var update = pass.Ops.Scratch(x.Rows, x.Columns);
        pass.Ops.RmsNorm(x, AttentionNorm, spec.NormEpsilon, into: h);
        Attend(pass, kv, h, update);
        pass.Ops.AddRmsNorm(update, x, FeedForwardNorm, spec.NormEpsilon, into: h);
        pass.Ops.Release(mark);
    }

    /// <summary>The second half without routed experts: what the dense part, if there is one, makes of <paramref name="h"/> is added to x.</summary>
    public void AddDense(in LayerPass pass, Matrix x, Matrix h)
    {
        if (Dense is null) return;
        var mark = pass.Ops.Mark();
        var update = pass.Ops.Scratch(x.Rows, x.Columns);
        Dense.Forward(pass, h, update);
        pass.Ops.Add(update, into: x);
        pass.Ops.Release(mark);
    }

    public void Dispose()
    {
        foreach (var item in owned) item.Dispose();
    }

    private void Attend(in LayerPass pass, KvLayer kv, Matrix h, Matrix update)
    {
        var (a, ops) = (spec.Attention, pass.Ops);
        var step = pass.Step;
        var mark = ops.Mark();
        var q = ops.Scratch(h.Rows, a.Heads * a.HeadDim);
        var k = ops.Scratch(h.Rows, a.KeyValueHeads * a.HeadDim);
        var v = ops.Scratch(h.Rows, a.KeyValueHeads * a.HeadDim);

        pass.Watch(Query, h);
        pass.Watch(Key, h);
        pass.Watch(Value, h);
        Linear.MatMul(ops, h, (Query, q), (Key, k), (Value, v));
        var across = a.QkNorm == QkNorm.AcrossHeads ? pass.Link : null;     // the heads of a token lie on several devices
        across?.NormAcross(ops, q, QueryNorm!, k, KeyNorm!, spec.NormEpsilon);
        ops.NormRope(q, across is null ? QueryNorm : null, k, across is null ? KeyNorm : null, a.HeadDim, a.QkNorm == QkNorm.PerHead,
            spec.NormEpsilon, pass.Rope, step.Positions);
        ops.WriteKv(k, v, kv, step.Slots);
        ops.PagedAttention(q, a.Heads, kv, step.Positions, step.TableStarts, step.Tables, a.Scale, into: q, Window, Sinks);
        pass.Watch(Output, q);
        Output.MatMul(ops, q, update);
        pass.Link?.Sum(ops, update);
        ops.Release(mark);
    }

    /// <summary>Leaves in <paramref name="update"/> what is to be added to <paramref name="x"/> yet.</summary>
    private void FeedForward(in LayerPass pass, Matrix x, Matrix h, Matrix update)
    {
        var mark = pass.Ops.Mark();
        Experts?.Forward(pass, h, update);
        if (pass.Link is { } link)
        {
            // Both parts are sums over all devices: they go around together.
            var dense = Experts is null ? update : pass.Ops.Scratch(h.Rows, h.Columns);
            Dense?.Forward(pass, h, dense);
            if (Experts is not null && Dense is not null) pass.Ops.Add(dense, into: update);
            link.Sum(pass.Ops, update);
            pass.Ops.Release(mark);
            return;
        }
        if (Experts is not null && Dense is not null) pass.Ops.Add(update, into: x);
        Dense?.Forward(pass, h, update);
        pass.Ops.Release(mark);
    }
}
