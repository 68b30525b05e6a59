using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

internal static partial class GpuMatMul<T>
{
    /// <summary>
    /// For every device. A group takes a tile of 16 rows, its threads the lanes of its chunks, four input rows at a time, and where there is no plan
    /// four alone; their sums are folded in an order that belongs to the device and the weight, never to the number of rows.
    /// </summary>
    internal static void PlainKernel<TGroup>(GpuWeightView w, ArrayView<float> x, ArrayView<int> pairToken, ArrayView<int> lists, ArrayView<float> y,
        GpuProduct product)
        where TGroup : struct, IGroup
    {
        var sums = SharedMemory.Allocate<float>(TGroup.MostThreads * 8);
        var split = Group.DimX < 32 ? 1 : Group.DimX / 32;
        for (var item = Grid.IdxX; item < w.Tiles * product.Slots * product.Blocks; item += Grid.DimX)
        {
            var rest = item / w.Tiles;
            var tile = item - (rest * w.Tiles);
            var slot = rest / product.Blocks;
            var expert = product.Expert(lists, slot);
            var first = product.First(lists, expert) + (4 * (rest - (slot * product.Blocks)));
            var end = product.End(lists, expert);
            var matrixTile = product.Matrix(expert) * w.Tiles + tile;
            for (var pair = first; pair < end; pair += 4 * product.Blocks)
            {
                for (var v = Group.IdxX; v < 32 * split; v += Group.DimX)
                {
                    var lanes = Lanes(w, matrixTile, v >> 5, split, v & 31, x, product, pairToken, pair, end);
                    sums[(8 * v) + 0] = lanes.Low0;
                    sums[(8 * v) + 1] = lanes.High0;
                    sums[(8 * v) + 2] = lanes.Low1;
                    sums[(8 * v) + 3] = lanes.High1;
                    sums[(8 * v) + 4] = lanes.Low2;
                    sums[(8 * v) + 5] = lanes.High2;
                    sums[(8 * v) + 6] = lanes.Low3;
                    sums[(8 * v) + 7] = lanes.High3;
                }
                Group.Barrier();
                for (var o = Group.IdxX; o < 64; o += Group.DimX)
                {
                    var (token, row) = (o >> 4, o & 15);
                    if (pair + token >= end || (tile * 16) + row >= w.Rows) continue;
                    var sum = 0f;
                    for (var s = 0; s < split; s++)
                    {
                        for (var t = 0; t < 4; t++) sum += sums[(8 * ((32 * s) + (4 * (row & 7)) + t)) + (2 * token) + (row >> 3)];
                    }
                    y[((long)(pair + token) * w.Rows) + (tile * 16) + row] = sum;
                }
                Group.Barrier();
            }
        }
    }

    /// <summary>The sums of one lane, over every <paramref name="split"/>-th chunk from <paramref name="chunk"/> on.</summary>
    private static LaneSums Lanes(
        GpuWeightView w, long tile, int chunk, int split, int lane, ArrayView<float> x, GpuProduct product, ArrayView<int> pairToken, int pair,
            int end)
    {
        var sums = default(LaneSums);
        var (rowPair, t) = (lane >> 2, lane & 3);
        var x0 = product.Input(pairToken, pair, end) + (2 * t);
        var x1 = product.Input(pairToken, pair + 1, end) + (2 * t);
        var x2 = product.Input(pairToken, pair + 2, end) + (2 * t);
        var x3 = product.Input(pairToken, pair + 3, end) + (2 * t);
        if (T.Bits == 32 && chunk < w.Chunks)
        {
            // A router: few tiles, and so little else to do while words are on their way that the next four should be, while these four are
            // multiplied.
            var lanes = w.Words.SubView((tile * w.Chunks * 32) + lane);
            var last = w.Chunks - 1;
            var four = Load(lanes, chunk, split, last);
            for (; chunk + (3 * split) < w.Chunks; chunk += 4 * split)
            {
                var coming = Load(lanes, chunk + (4 * split), split, last);
                Add(ref sums, w, tile, four.First, chunk, rowPair, x, x0, x1, x2, x3);
                Add(ref sums, w, tile, four.Second, chunk + split, rowPair, x, x0, x1, x2, x3);
                Add(ref sums, w, tile, four.Third, chunk + (2 * split), rowPair, x, x0, x1, x2, x3);
                Add(ref sums, w, tile, four.Fourth, chunk + (3 * split), rowPair, x, x0, x1, x2, x3);
                four = coming;
            }
        }
        for (; chunk < w.Chunks; chunk += split)
            Add(ref sums, w, tile, w.Words[(tile * w.Chunks + chunk) * 32 + lane], chunk, rowPair, x, x0, x1, x2, x3);
        return sums;
    }

    /// <summary>A lane's part of every <paramref name="split"/>-th chunk, four of them; of the last one beyond it.</summary>
    private static Chunks4 Load(ArrayView<Words4> lanes, int chunk, int split, int last) => new()
    {
        First = lanes[32 * Min(chunk, last)],
        Second = lanes[32 * Min(chunk + split, last)],
        Third = lanes[32 * Min(chunk + (2 * split), last)],
        Fourth = lanes[32 * Min(chunk + (3 * split), last)],
    };

    private static int Min(int a, int b) => a < b ? a : b;

    /// <summary>A lane's part of a chunk, times four input rows.</summary>
    private static void Add(ref LaneSums sums, GpuWeightView w, long tile, Words4 words, int chunk, int rowPair, ArrayView<float> x, long x0, long x1,
        long x2, long x3)
    {
        for (var step = 0; step < T.Steps; step++)
        {
            var column = (chunk * (256 / T.Bits)) + (16 * step);
            var (low, high, zeroLow, zeroHigh) = (1f, 1f, 0f, 0f);
            if (T.Bits <= 8)
            {
                var segment = w.SegmentOfStep[column >> 4];
                (low, high) = (w.Scale(tile, segment, rowPair, 0), w.Scale(tile, segment, rowPair, 1));
                (zeroLow, zeroHigh) = (w.Zero(tile, segment, rowPair, 0), w.Zero(tile, segment, rowPair, 1));
            }
            for (var i = 0; i < T.PerStep; i++)
            {
                var k = column + (i & 1) + (8 * (i >> 1));
                var a = T.Value(Code(words, step, i, 0), zeroLow) * low;
                var b = T.Value(Code(words, step, i, 1), zeroHigh) * high;
                var (v0, v1, v2, v3) = (x[x0 + k], x[x1 + k], x[x2 + k], x[x3 + k]);
                sums.Low0 += a * v0;
                sums.High0 += b * v0;
                sums.Low1 += a * v1;
                sums.High1 += b * v1;
                sums.Low2 += a * v2;
                sums.High2 += b * v2;
                sums.Low3 += a * v3;
                sums.High3 += b * v3;
            }
        }
    }

    private static uint Code(Words4 words, int step, int i, int half)
    {
        var word = words.Get(T.Word(step, i, half));
        return T.Bits == 32 ? word : (word >> T.Shift(step, i, half)) & ((1u << (T.Bits & 31)) - 1);
    }

    /// <summary>How many threads a group has at most.</summary>
    internal interface IGroup
    {
        static abstract int MostThreads { get; }
    }

    internal readonly struct Narrow : IGroup
    {
        public static int MostThreads => 128;
    }

    /// <summary>
    /// A matrix of few tiles, such as a router, would leave most of the device idle. As many threads as have all the registers that they ask for.
    /// </summary>
    internal readonly struct Wide : IGroup
    {
        public static int MostThreads => 512;
    }

    /// <summary>A lane's part of four chunks.</summary>
    private struct Chunks4
    {
        public Words4 First;
        public Words4 Second;
        public Words4 Third;
        public Words4 Fourth;
    }

    /// <summary>Sums of rows g (low) and g + 8 (high) for four input rows.</summary>
    private struct LaneSums
    {
        public float Low0;
        public float High0;
        public float Low1;
        public float High1;
        public float Low2;
        public float High2;
        public float Low3;
        public float High3;
    }
}
