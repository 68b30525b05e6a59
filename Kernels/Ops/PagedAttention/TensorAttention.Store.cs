using ILGPU;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

internal static partial class TensorAttention
{
    /// <summary>log2(e): scores are exponents of two.</summary>
    public const float Log2E = 1.44269504f;

    /// <summary>
    /// A warp's sums for the others: [warps, 8 · halves, 32 lanes] of four dimensions. Of the eight of a half, four are row g's, four row g + 8's; of
    /// those, i holds dimensions 64 · half + 16t + 4i to + 3. Scores: [warps, 32], the largest of the sixteen rows, then their totals.
    /// </summary>
    private static void Put<TDims>(ArrayView<Words4> sums, ArrayView<float> scores, State state) where TDims : struct, IDims
    {
        var (warp, lane) = (Group.IdxX >> 5, Group.IdxX & 31);
        var at = (warp * 256 * TDims.Halves) + lane;
        Put(sums, at, state.First);
        if (TDims.Halves > 1) Put(sums, at + 256, state.Second);
        var (totalA, totalB) = (SumOfRow(state.TotalA), SumOfRow(state.TotalB));
        if ((lane & 3) != 0) return;
        var row = (warp * 32) + (lane >> 2);
        (scores[row], scores[row + 8], scores[row + 16], scores[row + 24]) = (state.LargestA, state.LargestB, totalA, totalB);
    }

    private static void Put(ArrayView<Words4> sums, int at, Sums64 s)
    {
        sums[at] = Four(s.A.A, s.B.A, s.C.A, s.D.A);
        sums[at + 32] = Four(s.E.A, s.F.A, s.G.A, s.H.A);
        sums[at + 64] = Four(s.A.B, s.B.B, s.C.B, s.D.B);
        sums[at + 96] = Four(s.E.B, s.F.B, s.G.B, s.H.B);
        sums[at + 128] = Four(s.A.C, s.B.C, s.C.C, s.D.C);
        sums[at + 160] = Four(s.E.C, s.F.C, s.G.C, s.H.C);
        sums[at + 192] = Four(s.A.D, s.B.D, s.C.D, s.D.D);
        sums[at + 224] = Four(s.E.D, s.F.D, s.G.D, s.H.D);
    }

    /// <summary>
    /// Merges what the warps of a strip have of its rows, in their order, and writes rows that are done, or a span's partial results: sums [units,
    /// spans, headDim], and [units, spans, 2] the largest score and the total.
    /// </summary>
    private static void Store<TDims>(
        ArrayView<Words4> sums, ArrayView<float> scores, ArrayView<float> sinks, ArrayView<Words4> result, ArrayView<float> tops, TensorSizes sizes,
            Rows rows, int span)
        where TDims : struct, IDims
    {
        var (warp, lane) = (Group.IdxX >> 5, Group.IdxX & 31);
        var (from, each) = (sizes.KeyWarps == 1 ? 0 : warp * (8 * TDims.Halves / sizes.KeyWarps), 8 * TDims.Halves / sizes.KeyWarps);
        if (sizes.KeyWarps > 1) warp = 0;
        for (var i = from; i < from + each; i++)
        {
            var index = (i & 4) == 0 ? rows.IndexA : rows.IndexB;
            var row = (warp * 32) + (lane >> 2) + (2 * (i & 4));
            var largest = scores[row];
            for (var w = 1; w < sizes.KeyWarps; w++) largest = IntrinsicMath.Max(largest, scores[row + (32 * w)]);
            // A span that the row has nothing in.
            if (index < 0 || !(largest > float.NegativeInfinity)) continue;

            var sum = default(Acc4);
            var total = 0f;
            for (var w = 0; w < sizes.KeyWarps; w++)
            {
                var keep = TensorCore.Exp2(scores[row + (32 * w)] - largest);
                total += scores[row + (32 * w) + 16] * keep;
                sum = Add(sum, Scaled(sums[((warp + w) * 256 * TDims.Halves) + (32 * i) + lane], keep));
            }
            var dimension = (16 * (i >> 3)) + (4 * (lane & 3)) + (i & 3);
            if (sizes.Split == 0)
            {
                var scale = Done(largest, total, sinks, sizes, index);
                result[(index * (16 * TDims.Halves)) + dimension] = Four(sum.A * scale, sum.B * scale, sum.C * scale, sum.D * scale);
                continue;
            }
            var part = ((index - (sizes.First * sizes.Heads)) * sizes.Spans) + span;
            result[((long)part * (16 * TDims.Halves)) + dimension] = Four(sum.A, sum.B, sum.C, sum.D);
            if (dimension == 0) (tops[2 * part], tops[(2 * part) + 1]) = (largest, total);
        }
    }

    /// <summary>A thread merges four dimensions of one head of one token over the spans of its row.</summary>
    internal static void MergeKernel(
        ArrayView<Words4> partials, ArrayView<float> tops, ArrayView<int> positions, ArrayView<float> sinks, ArrayView<Words4> into,
            TensorSizes sizes, int perRow)
    {
        var count = sizes.Units * sizes.Heads * perRow;
        for (var n = Grid.GlobalIndex.X; n < count; n += Grid.DimX * Group.DimX)
        {
            var row = n / perRow;
            var index = (sizes.First * sizes.Heads) + row;
            var position = positions[index / sizes.Heads];
            var seen = position + 1 - (sizes.FirstSeen(position) & ~15);
            var span = TensorSizes.SpanTokens(seen);
            var spans = (seen + span - 1) / span;
            var first = row * sizes.Spans;
            var largest = float.NegativeInfinity;
            for (var s = 0; s < spans; s++) largest = IntrinsicMath.Max(largest, tops[2 * (first + s)]);
            var sum = default(Acc4);
            var total = 0f;
            for (var s = 0; s < spans; s++)
            {
                var keep = TensorCore.Exp2(tops[2 * (first + s)] - largest);
                total += tops[(2 * (first + s)) + 1] * keep;
                sum = Add(sum, Scaled(partials[((long)(first + s) * perRow) + (n - (row * perRow))], keep));
            }
            var scale = Done(largest, total, sinks, sizes, index);
            into[(index * perRow) + (n - (row * perRow))] = Four(sum.A * scale, sum.B * scale, sum.C * scale, sum.D * scale);
        }
    }

    /// <summary>What sums are multiplied with in the end, the head's sink taken in.</summary>
    private static float Done(float largest, float total, ArrayView<float> sinks, TensorSizes sizes, int index)
    {
        if (sizes.HasSinks == 0) return 1f / total;
        var sink = sinks[index % sizes.Heads] * Log2E;
        var top = IntrinsicMath.Max(largest, sink);
        var keep = TensorCore.Exp2(largest - top);
        return keep / ((total * keep) + TensorCore.Exp2(sink - top));
    }

    private static float SumOfRow(float x)
    {
        x += Warp.ShuffleXor(x, 1);
        return x + Warp.ShuffleXor(x, 2);
    }

    private static Words4 Four(float a, float b, float c, float d) =>
        new() { A = Interop.FloatAsInt(a), B = Interop.FloatAsInt(b), C = Interop.FloatAsInt(c), D = Interop.FloatAsInt(d) };
}
