using System.Numerics.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// The GEMM and GEMV of a tiled weight, dealt to the threads: one item is four neighbouring tiles of one expert, for all of its tokens, while their
/// words are in the cache.
/// </summary>
internal static unsafe class TileMatMul
{
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

    /// <summary>Fills y [tokens, rows], or with a plan y [pairs, rows]; <paramref name="rows"/> says which input row a pair has.</summary>
    public static void Run<TProduct>(OpStream ops, in TileView view, TileLayout layout, TProduct product, Matrix y, ExpertPlan? plan, ExpertRows rows)
        where TProduct : struct, ITileProduct
    {
        var job = new Job<TProduct>(view, layout, product, y, plan, rows);
        ops.Deal(job.Items, job.Cost, ref job);
    }

    private readonly struct ScaleJob(Matrix x, float factor, Matrix into) : IJob
    {
        public void Execute(int item) => TensorPrimitives.Multiply(x.Row(item), factor, into.Row(item));
    }

    private readonly struct Job<TProduct>(TileView view, TileLayout layout, TProduct product, Matrix y, ExpertPlan? plan, ExpertRows rows) : IJob
        where TProduct : struct, ITileProduct
    {
        private readonly int groups = (view.Tiles + TilesAnItem - 1) / TilesAnItem;

        public int Items => groups * (plan?.ActiveCount ?? 1);

        /// <summary>In the unit of <see cref="Dealing"/>: four codes cost about as much as a plain float, in whatever type they are.</summary>
        public long Cost => (long)view.Tiles * 16 * layout.Places / 4 * y.Rows;

        public void Execute(int item)
        {
            var expert = plan is null ? 0 : plan.Active[item / groups];
            var (pair, end) = plan is null ? (0, y.Rows) : (plan.Offsets[expert], plan.Offsets[expert + 1]);
            var first = item % groups * TilesAnItem;
            var tiles = Math.Min(TilesAnItem, view.Tiles - first);
            var tile = new TileCursor(view, layout, ((long)expert * view.Tiles) + first);

            var sums = stackalloc float[16 * 4];
            for (; pair + 4 <= end; pair += 4)
            {
                for (var i = 0; i < tiles; i++)
                {
                    product.FourTokens(tile.Next(layout, i), Input(pair), Input(pair + 1), Input(pair + 2), Input(pair + 3), sums);
                    for (var t = 0; t < 4; t++) Put(sums + (16 * t), pair + t, first + i, 1);
                }
            }
            for (; pair < end; pair++)
            {
                var i = 0;
                for (; i + 2 <= tiles; i += 2)
                {
                    product.TwoTiles(tile.Next(layout, i), Input(pair), sums);
                    Put(sums, pair, first + i, 2);
                }
                if (i == tiles) continue;
                product.One(tile.Next(layout, i), Input(pair), sums);
                Put(sums, pair, first + i, 1);
            }
        }

        /// <summary>The input row of an output row.</summary>
        private int Input(int pair) => plan is not null && rows == ExpertRows.Tokens ? plan.PairToken[pair] : pair;

        /// <summary>Copies the sums of some tiles to their places; rows beyond the last are padding.</summary>
        private void Put(float* sums, int pair, int tile, int tiles)
        {
            var count = Math.Min(16 * tiles, view.Rows - (16 * tile));
            new ReadOnlySpan<float>(sums, count).CopyTo(new Span<float>(y.RowData(pair) + (16 * tile), count));
        }
    }
}
