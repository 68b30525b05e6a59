using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>Deals a product's tiles to the threads: one item is four neighbouring tiles of one expert, for all of its tokens, while their words are in the cache.</summary>
internal static unsafe class TileMatMul<TFormat> where TFormat : struct, ITileFormat
{
    private const int TilesAnItem = 4;

    /// <summary>y[t, n] = Σ_k W[n, k] · x[t, k].</summary>
    public static void Run(OpStream ops, in TileView view, TileLayout layout, Matrix x, Matrix y)
    {
        var mark = ops.Mark();
        Deal(ops, new Product(view, layout, Arrange(ops, layout, x), y));
        ops.Release(mark);
    }

    /// <summary>The same for the pairs of a plan.</summary>
    public static void RunExperts(OpStream ops, in TileView view, TileLayout layout, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        var mark = ops.Mark();
        Deal(ops, new Product(view, layout, Arrange(ops, layout, x), y) { Plan = plan, Rows = rows });
        ops.Release(mark);
    }

    private static void Deal(OpStream ops, in Product product)
    {
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Deal<Vector16x1>(ops, product); break;
            case Isa.Avx2: Deal<Vector16x2>(ops, product); break;
            default: Deal<Vector16x4>(ops, product); break;
        }
    }

    private static void Deal<T>(OpStream ops, in Product product) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(product);
        ops.Deal(job.Items, job.Cost, ref job);
    }

    /// <summary>The input in the order of the weight's places, zeros for padding; as it is where that is its order already.</summary>
    private static Matrix Arrange(OpStream ops, TileLayout layout, Matrix x)
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

    private readonly struct Product(TileView view, TileLayout layout, Matrix x, Matrix y)
    {
        public readonly TileView View = view;
        public readonly TileLayout Layout = layout;
        public readonly Matrix X = x;
        public readonly Matrix Y = y;

        public ExpertPlan? Plan { get; init; }

        public ExpertRows Rows { get; init; }

        /// <summary>The input row of output row <paramref name="pair"/>.</summary>
        public float* Input(int pair) => X.RowData(Plan is not null && Rows == ExpertRows.Tokens ? Plan.PairToken[pair] : pair);
    }

    private readonly struct Job<T>(Product product) : IJob where T : unmanaged, IVector16<T>
    {
        private readonly int groups = (product.View.Tiles + TilesAnItem - 1) / TilesAnItem;

        public int Items => groups * (product.Plan?.ActiveCount ?? 1);

        /// <summary>Words touched, as a measure of the work.</summary>
        public long Cost => (long)Items * TilesAnItem * product.Layout.Words * 16;

        public void Execute(int item)
        {
            var plan = product.Plan;
            var expert = plan is null ? 0 : plan.Active[item / groups];
            var (first, end) = plan is null ? (0, product.X.Rows) : (plan.Offsets[expert], plan.Offsets[expert + 1]);
            var tile = item % groups * TilesAnItem;
            var tiles = Math.Min(TilesAnItem, product.View.Tiles - tile);

            var sums = stackalloc float[64];
            var pair = first;
            for (; pair + 4 <= end; pair += 4)
            {
                for (var i = 0; i < tiles; i++)
                {
                    TileKernel<T, TFormat>.FourTokens(
                        Cursor(expert, tile + i), product.Layout, product.Input(pair), product.Input(pair + 1), product.Input(pair + 2), product.Input(pair + 3), sums);
                    for (var t = 0; t < 4; t++) Put(sums + (16 * t), pair + t, tile + i, 1);
                }
            }
            for (; pair < end; pair++)
            {
                if (tiles == TilesAnItem)
                {
                    TileKernel<T, TFormat>.FourTiles(Cursor(expert, tile), product.Layout, product.Input(pair), sums);
                    Put(sums, pair, tile, TilesAnItem);
                    continue;
                }
                for (var i = 0; i < tiles; i++)
                {
                    TileKernel<T, TFormat>.One(Cursor(expert, tile + i), product.Layout, product.Input(pair), sums);
                    Put(sums, pair, tile + i, 1);
                }
            }
        }

        private TileCursor Cursor(int expert, int tile) => new(product.View, product.Layout, ((long)expert * product.View.Tiles) + tile);

        /// <summary>Copies the sums of some tiles to their places; rows beyond the last are padding.</summary>
        private void Put(float* sums, int pair, int tile, int tiles)
        {
            var count = Math.Min(16 * tiles, product.View.Rows - (16 * tile));
            new ReadOnlySpan<float>(sums, count).CopyTo(new Span<float>(product.Y.RowData(pair) + (16 * tile), count));
        }
    }
}
