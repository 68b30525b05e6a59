using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>Tokens that share one softmax on a GPU; spans are counted from the start of the sequence and merged in order.</summary>
    private const int GpuSpan = 256;

    /// <summary>Widest head of the kernel for every device: its sums stand in shared memory.</summary>
    internal const int MostHeadDim = 512;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<uint>, ArrayView<uint>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<float>, AttentionSizes>> Attend32 =
        new(AttendKernel<GpuKv.Float32>);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<uint>, ArrayView<uint>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<float>, AttentionSizes>> Attend16 =
        new(AttendKernel<GpuKv.BFloat>);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<uint>, ArrayView<uint>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<float>, AttentionSizes>> Attend8 =
        new(AttendKernel<GpuKv.Float8>);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>,
        AttentionSizes>> Merge =
        new(MergeKernel);

    /// <summary>Spans that a step's launches are made for: a power of two, so that a recorded step holds while its sequences grow.</summary>
    internal static int SpansFor(int lastPosition) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(lastPosition / GpuSpan) + 1);

    private static void RunGpu(
        GpuStream gpu, Matrix q, int heads, KvLayer kv, Ints positions, Ints tableStarts, Ints tables, float scale, Matrix into, int window,
            NativeBuffer? sinks)
    {
        if (q.Rows == 0) return;
        if (SuitsTensorCores(gpu.Device, kv))
        {
            RunTensor(gpu, q, heads, kv, positions, tableStarts, tables, scale, into, window, sinks);
            return;
        }
        if (kv.HeadDim > MostHeadDim)
            throw new NotSupportedException($"PagedAttention: expected heads of at most {MostHeadDim} values on a GPU, found {kv.HeadDim}.");
        var last = 0;
        foreach (var position in positions.Host) last = Math.Max(last, position);
        var sizes = new AttentionSizes
        {
            Kv = kv.Gpu!.Shape, Rows = q.Rows, Heads = heads, Share = heads / kv.KvHeads, Spans = SpansFor(last),
            Scale = scale * (kv.Scales?.Key ?? 1),
            ValueScale = kv.Scales?.Value ?? 1, Window = window, HasSinks = sinks is null ? 0 : 1,
        };
        var units = q.Rows * heads;
        var attend = kv.Type switch { KvType.Float32 => Attend32, KvType.BFloat16 => Attend16, _ => Attend8 };
        var (at, starts, blocks) = (gpu.View(positions), gpu.View(tableStarts), gpu.View(tables));
        // Without sinks nothing is read of them; a view must be given all the same.
        var sink = sinks is null ? gpu.View(q) : gpu.Device.Mirror(sinks);

        // Few rows and a long context: each span goes to a group of its own. Many rows: a group takes all spans of its row, with the same sums in the
        // same order.
        sizes.Split = sizes.Spans > 1 && units < 2 * gpu.Device.Traits.Groups ? 1 : 0;
        if (sizes.Split == 0)
        {
            attend.On(gpu.Device)(gpu.Queue, gpu.Groups(units), gpu.View(q), kv.Gpu.Keys, kv.Gpu.Values, at, starts, blocks, sink, gpu.View(into),
                sizes);
            return;
        }
        var mark = gpu.Scratch.Mark();
        var partials = gpu.View(gpu.Scratch.Take(units * sizes.Spans, kv.HeadDim + 2));
        attend.On(gpu.Device)(gpu.Queue, gpu.Groups((long)units * sizes.Spans), gpu.View(q), kv.Gpu.Keys, kv.Gpu.Values, at, starts, blocks, sink,
            partials, sizes);
        Merge.On(gpu.Device)(gpu.Queue, gpu.Spread((long)units * kv.HeadDim), partials, at, sink, gpu.View(into), sizes);
        gpu.Scratch.Release(mark);
    }

    /// <summary>
    /// A group takes one query head of one token, over all spans (result: the normalized row) or over one (result: [headDim] sums, largest score, sum
    /// of probabilities). In a span a thread scores every DimX-th key, then sums every DimX-th dimension of the values.
    /// </summary>
    internal static void AttendKernel<T>(
        ArrayView<float> q, ArrayView<uint> keys, ArrayView<uint> values, ArrayView<int> positions, ArrayView<int> starts, ArrayView<int> tables,
        ArrayView<float> sinks,
        ArrayView<float> result, AttentionSizes sizes)
        where T : struct, GpuKv.IType
    {
        var scores = SharedMemory.Allocate<float>(GpuSpan);
        var slots = SharedMemory.Allocate<int>(GpuSpan);
        var sums = SharedMemory.Allocate<float>(MostHeadDim);
        var units = sizes.Rows * sizes.Heads;
        var items = sizes.Split == 0 ? units : units * sizes.Spans;
        for (var item = Grid.IdxX; item < items; item += Grid.DimX)
        {
            var unit = sizes.Split == 0 ? item : item / sizes.Spans;
            var token = unit / sizes.Heads;
            var head = unit - (token * sizes.Heads);
            var count = positions[token] + 1;
            var query = ((long)token * sizes.Heads + head) * sizes.Kv.HeadDim;
            var seen = sizes.FirstSeen(count);
            var (firstSpan, lastSpan) = (seen / GpuSpan, (count - 1) / GpuSpan);
            var span = sizes.Split == 0 ? firstSpan : item - (unit * sizes.Spans);
            var end = sizes.Split == 0 ? lastSpan : (span >= firstSpan && span <= lastSpan ? span : -1);
            var (largest, total) = (float.NegativeInfinity, 0f);
            for (; span <= end; span++)
            {
                var first = span * GpuSpan > seen ? span * GpuSpan : seen;
                var n = (count < (span + 1) * GpuSpan ? count : (span + 1) * GpuSpan) - first;
                for (var i = Group.IdxX; i < n; i += Group.DimX)
                {
                    var block = (first + i) / sizes.Kv.BlockTokens;
                    var slot = (tables[starts[token] + block] * sizes.Kv.BlockTokens) + (first + i - (block * sizes.Kv.BlockTokens));
                    var key = sizes.Kv.Row(slot, head / sizes.Share);
                    var dot = 0f;
                    for (var d = 0; d < sizes.Kv.HeadDim; d++) dot += (q[query + d] * sizes.Scale) * T.Get(keys, key, d);
                    (scores[i], slots[i]) = (dot * T.Scale(keys, sizes.Kv, sizes.Kv.RowOf(slot, head / sizes.Share)), slot);
                }
                Group.Barrier();

                // Every thread finds the largest for itself, in the same order: a few hundred broadcast reads against two more barriers.
                var max = float.NegativeInfinity;
                for (var i = 0; i < n; i++) max = scores[i] > max ? scores[i] : max;
                Group.Barrier();
                for (var i = Group.IdxX; i < n; i += Group.DimX) scores[i] = GpuMath.Exp(scores[i] - max);
                Group.Barrier();
                var part = 0f;
                for (var i = 0; i < n; i++) part += scores[i];

                var merged = max > largest ? max : largest;
                var (keep, add) = (GpuMath.Exp(largest - merged), GpuMath.Exp(max - merged));
                for (var d = Group.IdxX; d < sizes.Kv.HeadDim; d += Group.DimX)
                {
                    var sum = 0f;
                    for (var i = 0; i < n; i++)
                    {
                        var row = sizes.Kv.RowOf(slots[i], head / sizes.Share);
                        sum += scores[i] * T.Scale(values, sizes.Kv, row) * T.Get(values, row * sizes.Kv.RowWords, d);
                    }
                    sum *= sizes.ValueScale;
                    sums[d] = largest > float.NegativeInfinity ? (sums[d] * keep) + (sum * add) : sum;
                }
                total = largest > float.NegativeInfinity ? (total * keep) + (part * add) : part;
                largest = merged;
                Group.Barrier();
            }

            var rescale = 1f;
            if (sizes.Split == 0 && sizes.HasSinks != 0)
            {
                var with = WithSink(largest, total, sinks[head]);
                (rescale, total) = (with.Keep, with.Total);
            }
            var to = sizes.Split == 0 ? query : (long)item * (sizes.Kv.HeadDim + 2);
            for (var d = Group.IdxX; d < sizes.Kv.HeadDim; d += Group.DimX) result[to + d] = sizes.Split == 0 ? sums[d] * rescale / total : sums[d];
            if (sizes.Split != 0 && Group.IdxX == 0) (result[to + sizes.Kv.HeadDim], result[to + sizes.Kv.HeadDim + 1]) = (largest, total);
            Group.Barrier();
        }
    }

    /// <summary>A thread merges one dimension of one head of one token over all spans.</summary>
    internal static void MergeKernel(ArrayView<float> partials, ArrayView<int> positions, ArrayView<float> sinks, ArrayView<float> into,
        AttentionSizes sizes)
    {
        var dim = sizes.Kv.HeadDim;
        var count = sizes.Rows * sizes.Heads * dim;
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            var unit = i / dim;
            var d = i - (unit * dim);
            var seen = positions[unit / sizes.Heads] + 1;
            var (firstSpan, lastSpan) = (sizes.FirstSeen(seen) / GpuSpan, (seen - 1) / GpuSpan);
            var from = (((long)unit * sizes.Spans) + firstSpan) * (dim + 2);
            var (sum, largest, total) = (partials[from + d], partials[from + dim], partials[from + dim + 1]);
            for (var span = firstSpan + 1; span <= lastSpan; span++)
            {
                from += dim + 2;
                var max = partials[from + dim];
                var merged = max > largest ? max : largest;
                var (keep, add) = (GpuMath.Exp(largest - merged), GpuMath.Exp(max - merged));
                sum = (sum * keep) + (partials[from + d] * add);
                total = (total * keep) + (partials[from + dim + 1] * add);
                largest = merged;
            }
            var rescale = 1f;
            if (sizes.HasSinks != 0)
            {
                var with = WithSink(largest, total, sinks[unit % sizes.Heads]);
                (rescale, total) = (with.Keep, with.Total);
            }
            into[i] = sum * rescale / total;
        }
    }

    /// <summary>
    /// Takes one more score, that has no value, into a softmax: what the sums so far are multiplied with, and the new sum of probabilities.
    /// </summary>
    private static SinkEffect WithSink(float largest, float total, float sink)
    {
        var merged = sink > largest ? sink : largest;
        var keep = GpuMath.Exp(largest - merged);
        return new SinkEffect { Keep = keep, Total = (total * keep) + GpuMath.Exp(sink - merged) };
    }

    private struct SinkEffect
    {
        public float Keep;
        public float Total;
    }

    /// <summary>Parameters of the kernels.</summary>
    internal struct AttentionSizes
    {
        public KvShape Kv;
        public int Rows;
        public int Heads;

        /// <summary>Query heads that share a key head.</summary>
        public int Share;

        /// <summary>Spans between the partial results of neighbouring heads.</summary>
        public int Spans;

        /// <summary>1: a group takes one span.</summary>
        public int Split;
        public float Scale;

        /// <summary>What all values are multiplied with.</summary>
        public float ValueScale;

        /// <summary>Positions that a token sees, its own included.</summary>
        public int Window;

        /// <summary>Whether each head has a score more that has no value.</summary>
        public int HasSinks;

        /// <summary>The first position that the last of <paramref name="count"/> tokens sees.</summary>
        public readonly int FirstSeen(int count) => count > Window ? count - Window : 0;
    }
}
