using ILGPU;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

internal static partial class TensorAttention
{
    /// <summary>Sixteen keys of a sequence. Where they lie one after another in the cache, the first's row says where.</summary>
    private struct Spot
    {
        public int Key;

        /// <summary>In sixteen bytes.</summary>
        public long Row;
    }

    /// <summary>The block of sixteen keys that lie in one; asked for a step ahead, because keys wait for it.</summary>
    private static int Page<TBlocks>(ArrayView<int> tables, TensorSizes sizes, Reach reach, int key) where TBlocks : struct, IBlocks =>
        TBlocks.Aligned ? tables[reach.Table + sizes.Block(key)] : 0;

    private static Spot Find<TDims, TBlocks>(TensorSizes sizes, int head, int key, int page)
        where TDims : struct, IDims where TBlocks : struct, IBlocks =>
        new() { Key = key, Row = TBlocks.Aligned ? (long)sizes.Row(head, key, page) * (8 * TDims.Halves) : 0 };

    /// <summary>A key of its own, or the last that was written.</summary>
    private static long Find<TDims>(ArrayView<int> tables, TensorSizes sizes, Reach reach, int head, int key) where TDims : struct, IDims
    {
        key = IntrinsicMath.Min(key, reach.To);
        return (long)sizes.Row(head, key, tables[reach.Table + sizes.Block(key)]) * (8 * TDims.Halves);
    }

    private static Keys16 LoadKeys<TDims, TBlocks>(ArrayView<Words4> keys, ArrayView<int> tables, TensorSizes sizes, Reach reach, int head, Spot at)
        where TDims : struct, IDims where TBlocks : struct, IBlocks
    {
        var (g, t) = ((Group.IdxX & 31) >> 2, Group.IdxX & 3);
        ref var low = ref keys[TBlocks.Aligned ? at.Row + ((g * 8 * TDims.Halves) + t) : Find<TDims>(tables, sizes, reach, head, at.Key + g) + t];
        var k = default(Keys16);
        k.Low.A = TensorCore.Load(ref low, 0);
        k.Low.B = TensorCore.Load(ref low, 4);
        if (TDims.Halves > 1)
        {
            k.Low.C = TensorCore.Load(ref low, 8);
            k.Low.D = TensorCore.Load(ref low, 12);
        }
        if (TBlocks.Aligned)
        {
            k.High.A = TensorCore.Load(ref low, 64 * TDims.Halves);
            k.High.B = TensorCore.Load(ref low, (64 * TDims.Halves) + 4);
            if (TDims.Halves > 1)
            {
                k.High.C = TensorCore.Load(ref low, 136);
                k.High.D = TensorCore.Load(ref low, 140);
            }
            return k;
        }
        ref var high = ref keys[Find<TDims>(tables, sizes, reach, head, at.Key + 8 + g) + t];
        k.High.A = TensorCore.Load(ref high, 0);
        k.High.B = TensorCore.Load(ref high, 4);
        if (TDims.Halves > 1)
        {
            k.High.C = TensorCore.Load(ref high, 8);
            k.High.D = TensorCore.Load(ref high, 12);
        }
        return k;
    }

    private static Values16 LoadValues<TDims, TBlocks>(ArrayView<Words4> values, ArrayView<int> tables, TensorSizes sizes, Reach reach, int head,
        Spot at)
        where TDims : struct, IDims where TBlocks : struct, IBlocks
    {
        var (g, t) = ((Group.IdxX & 31) >> 2, Group.IdxX & 3);
        ref var a = ref values[TBlocks.Aligned
            ? at.Row + ((2 * t * 8 * TDims.Halves) + g)
            : Find<TDims>(tables, sizes, reach, head, at.Key + (2 * t)) + g];
        var v = default(Values16);
        v.First.A = TensorCore.Load(ref a, 0);
        if (TDims.Halves > 1) v.Second.A = TensorCore.Load(ref a, 8);
        if (TBlocks.Aligned)
        {
            v.First.B = TensorCore.Load(ref a, 8 * TDims.Halves);
            v.First.C = TensorCore.Load(ref a, 64 * TDims.Halves);
            v.First.D = TensorCore.Load(ref a, 72 * TDims.Halves);
            if (TDims.Halves > 1)
            {
                v.Second.B = TensorCore.Load(ref a, 24);
                v.Second.C = TensorCore.Load(ref a, 136);
                v.Second.D = TensorCore.Load(ref a, 152);
            }
            return v;
        }
        ref var b = ref values[Find<TDims>(tables, sizes, reach, head, at.Key + (2 * t) + 1) + g];
        ref var c = ref values[Find<TDims>(tables, sizes, reach, head, at.Key + (2 * t) + 8) + g];
        ref var d = ref values[Find<TDims>(tables, sizes, reach, head, at.Key + (2 * t) + 9) + g];
        (v.First.B, v.First.C, v.First.D) = (TensorCore.Load(ref b, 0), TensorCore.Load(ref c, 0), TensorCore.Load(ref d, 0));
        if (TDims.Halves > 1)
            (v.Second.B, v.Second.C, v.Second.D) = (TensorCore.Load(ref b, 8), TensorCore.Load(ref c, 8), TensorCore.Load(ref d, 8));
        return v;
    }

    private static Queries LoadQueries<TDims, TPlanes>(ArrayView<Words4> q, Rows rows, float scale)
        where TDims : struct, IDims where TPlanes : struct, IPlanes
    {
        var queries = default(Queries);
        LoadQueries<TPlanes>(ref queries.High.A, ref queries.Rest.A, q, rows, scale, 16 * TDims.Halves, 0);
        LoadQueries<TPlanes>(ref queries.High.B, ref queries.Rest.B, q, rows, scale, 16 * TDims.Halves, 8);
        if (TDims.Halves > 1)
        {
            LoadQueries<TPlanes>(ref queries.High.C, ref queries.Rest.C, q, rows, scale, 32, 16);
            LoadQueries<TPlanes>(ref queries.High.D, ref queries.Rest.D, q, rows, scale, 32, 24);
        }
        return queries;
    }

    /// <summary>32 dimensions of the lane's two rows, in the order of <see cref="Score"/>. A row that is none is zero.</summary>
    private static void LoadQueries<TPlanes>(ref Query32 high, ref Query32 rest, ArrayView<Words4> q, Rows rows, float scale, int width, int from)
        where TPlanes : struct, IPlanes
    {
        from += 2 * (Group.IdxX & 3);
        var (a0, a1, b0, b1) = (default(Acc4), default(Acc4), default(Acc4), default(Acc4));
        if (rows.IndexA >= 0) (a0, a1) = (Scaled(q[(rows.IndexA * width) + from], scale), Scaled(q[(rows.IndexA * width) + from + 1], scale));
        if (rows.IndexB >= 0) (b0, b1) = (Scaled(q[(rows.IndexB * width) + from], scale), Scaled(q[(rows.IndexB * width) + from + 1], scale));
        var (first, second) = (Fold(a0, b0), Fold(a1, b1));
        (high.First, high.Second) = (Pack(first), Pack(second));
        if (TPlanes.Count > 1) (rest.First, rest.Second) = (Rest(first, high.First), Rest(second, high.Second));
    }

    private static Acc4 Scaled(Words4 x, float scale) => new()
    {
        A = Interop.IntAsFloat(x.A) * scale, B = Interop.IntAsFloat(x.B) * scale, C = Interop.IntAsFloat(x.C) * scale,
        D = Interop.IntAsFloat(x.D) * scale,
    };

    /// <summary>Four numbers of each of two rows as <see cref="Pack"/> wants them: two of both rows, then two of both.</summary>
    private static Scores Fold(Acc4 a, Acc4 b) =>
        new() { Low = new Acc4 { A = a.A, B = a.B, C = b.A, D = b.B }, High = new Acc4 { A = a.C, B = a.D, C = b.C, D = b.D } };
}
