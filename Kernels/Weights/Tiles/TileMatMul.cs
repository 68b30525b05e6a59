using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// The GEMM and GEMV of a tiled weight, dealt to the threads: one item is four neighbouring tiles of one expert, for all of its tokens, while their
/// words are in the cache.
/// </summary>
internal static unsafe class TileMatMul
{
    /// <summary>Floats from one row's outputs to the next one's while two tiles are summed.</summary>
    public const int SumStride = 32;

    private const int TilesAnItem = 4;

    /// <summary>The input in the order of a weight's places, zeros for padding; as it is where that is its order already.</summary>
    public static Matrix Arrange(OpStream ops, TileLayout layout, Matrix x)
    {
        if (layout.IsIdentity) return x;
        var arranged = ops.Scratch(x.Rows, layout.Places);
        var order = layout.Order;
        for (var t = 0; t < x.Rows; t++)
        {
            var from = x.RowData(t);
            var to = arranged.RowData(t);
            for (var place = 0; place < order.Length; place++) to[place] = order[place] < 0 ? 0 : from[order[place]];
        }
        return arranged;
    }

    /// <summary>The input times a power of two, in scratch memory; the input itself where that is 1.</summary>
    public static Matrix Scale(OpStream ops, Matrix x, float factor)
    {
        if (factor == 1) return x;
        var scaled = ops.Scratch(x.Rows, x.Columns);
        var job = new ScaleJob(x, factor, scaled);
        ops.Deal(x.Rows, (long)x.Rows * x.Columns, ref job);
        return scaled;
    }

    /// <summary>Does a task, whose input the product has.</summary>
    public static void Run<TProduct, T>(OpStream ops, TileLayout layout, TProduct product, in TileTask task)
        where TProduct : struct, ITileProduct
        where T : unmanaged, IVector16<T>
    {
        var job = new Job<TProduct, T>(layout, product, task);
        ops.Deal(job.Items, job.Cost, ref job);
    }

    /// <summary>The first boundary of a cache line from <paramref name="room"/> on: registers that cross one cost twice.</summary>
    public static float* Aligned(float* room) => (float*)(((nint)room + 63) & ~63);

    private readonly struct ScaleJob(Matrix x, float factor, Matrix into) : IJob
    {
        public void Execute(int item) => TensorPrimitives.Multiply(x.Row(item), factor, into.Row(item));
    }

    private readonly struct Job<TProduct, T>(TileLayout layout, TProduct product, TileTask task) : IJob
        where TProduct : struct, ITileProduct
        where T : unmanaged, IVector16<T>
    {
        private readonly int groups = Groups(task.First) + (task.IsGated ? 0 : Groups(task.Second) + Groups(task.Third));

        public int Items => groups * (task.Plan?.ActiveCount ?? 1);

        /// <summary>In the unit of <see cref="Dealing"/>: four codes cost about as much as a plain float, in whatever type they are.</summary>
        public long Cost => (long)groups * TilesAnItem * 16 * layout.Places / 4 * task.First.Y.Rows * (task.IsGated ? 2 : 1);

        [SkipLocalsInit]
        public void Execute(int item)
        {
            var plan = task.Plan;
            var expert = plan is null ? 0 : plan.Active[item / groups];
            var (start, end) = plan is null ? (0, task.First.Y.Rows) : (plan.Offsets[expert], plan.Offsets[expert + 1]);
            var (output, group) = Output(item % groups);
            var first = group * TilesAnItem;
            var tiles = Math.Min(TilesAnItem, output.View.Tiles - first);
            var tile = new TileCursor(output.View, layout, ((long)expert * output.View.Tiles) + first);
            var upTile = task.IsGated ? new TileCursor(task.Second.View, layout, ((long)expert * output.View.Tiles) + first) : default;

            var room = stackalloc float[(2 * SumStride * InputRows.Most) + 16];
            var sums = Aligned(room);
            var up = sums + (SumStride * InputRows.Most);
            var inputs = stackalloc int[InputRows.Most];
            for (var pair = start; pair < end; pair += InputRows.Most)
            {
                var count = Math.Min(InputRows.Most, end - pair);
                for (var t = 0; t < count; t++) inputs[t] = Input(pair + t);
                var rows = new InputRows(inputs, count, expert, pair - start);
                for (var i = 0; i < tiles; i += 2)
                {
                    var together = Math.Min(2, tiles - i);
                    product.Multiply(tile.Next(layout, i), together, rows, sums);
                    if (task.IsGated)
                    {
                        product.Multiply(upTile.Next(layout, i), together, rows, up);
                        for (var at = 0; at < SumStride * count; at += SumStride)
                            Elementwise<SiluMulOp>.Row<T>(sums + at, up + at, sums + at, 16 * together);
                    }
                    for (var t = 0; t < count; t++) Put(output, sums + (SumStride * t), pair + t, first + i, together);
                }
            }
        }

        /// <summary>The input row of an output row.</summary>
        private int Input(int pair) => task.Plan is { } plan && task.Rows == ExpertRows.Tokens ? plan.PairToken[pair] : pair;

        /// <summary>Which weight a group of tiles is one of, and which it is there.</summary>
        private (TileOutput Output, int Group) Output(int group)
        {
            var (first, second) = (Groups(task.First), Groups(task.Second));
            return group < first ? (task.First, group) : group < first + second ? (task.Second, group - first) : (task.Third, group - first - second);
        }

        private static int Groups(in TileOutput output) => (output.View.Tiles + TilesAnItem - 1) / TilesAnItem;

        /// <summary>Copies the sums of some tiles to their places; rows beyond the last are padding.</summary>
        private static void Put(in TileOutput output, float* sums, int pair, int tile, int tiles)
        {
            var count = Math.Min(16 * tiles, output.View.Rows - (16 * tile));
            new ReadOnlySpan<float>(sums, count).CopyTo(new Span<float>(output.Y.RowData(pair) + (16 * tile), count));
        }
    }
}
