using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// y[t, n] = Σ over segments of scale[n, s] · unit · Σ over groups of 32 of d[t, g] · Σ code · q: the inner sums in int32, of products of int16. As
/// exact as the rounding of the input, at twice the rate of floats; the same bits on every instruction set.
/// </summary>
internal static unsafe class PairKernel<T, TFormat>
    where T : unmanaged, IRegister<T>
    where TFormat : struct, IPairFormat
{
    private const int PairsAGroup = Int16Activations.Group / 2;

    /// <summary>Some codes of one tile as pairs of int16, [pairs, 16].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode(in TileCursor tile, in TilePiece piece, float* into)
    {
        var words = tile.Words + ((nint)piece.FirstCode / 4 * 16);
        for (var end = into + (piece.Codes / 2 * 16); into < end; words += 16, into += 32)
        {
            // What the next block needs is fetched while this one is multiplied.
            if (Sse.IsSupported) Sse.Prefetch0(words + (TileLayout.BlockCodes / 4 * 16));
            for (var lane = 0; lane < 16; lane += T.Lanes)
            {
                TFormat.Pairs(T.Load(words + lane), out var early, out var late);
                T.Store(early, into + lane);
                T.Store(late, into + 16 + lane);
            }
        }
    }

    /// <summary>A panel through some groups of one segment: the sums of <see cref="PanelKernel{T, TWidth}"/>, in integers within a group.</summary>
    /// <param name="first">[pairs, 16] codes, at the first register's rows.</param>
    /// <param name="second">The same at the second register's.</param>
    /// <param name="q">[pairs, rows] inputs.</param>
    /// <param name="d">[groups, rows] their scales.</param>
    /// <param name="groups">How many.</param>
    /// <param name="ends">Where the groups lie in their segment, and its scales.</param>
    /// <param name="sums">[rows] sums, <see cref="TileMatMul.SumStride"/> apart, at the first register's outputs.</param>
    /// <param name="y">[rows] outputs, in the same way.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TWidth>(float* first, float* second, int* q, float* d, int groups, in SegmentEnds<T> ends, float* sums, float* y)
        where TWidth : struct, IPanelWidth
    {
        const int Row = TileMatMul.SumStride;
        for (var g = 0; g < groups; g++, d += TWidth.Rows)
        {
            var (a0, a1, a2, a3, a4, a5) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
            var (b0, b1, b2, b3, b4, b5) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
            for (var end = q + (PairsAGroup * TWidth.Rows); q < end; q += TWidth.Rows, first += 16, second += 16)
            {
                var (u, v) = (T.Load(first), T.Load(second));
                var q0 = T.BroadcastBits(q[0]);
                a0 = T.AddPairProducts(a0, u, q0);
                b0 = T.AddPairProducts(b0, v, q0);
                var q1 = T.BroadcastBits(q[1]);
                a1 = T.AddPairProducts(a1, u, q1);
                b1 = T.AddPairProducts(b1, v, q1);
                var q2 = T.BroadcastBits(q[2]);
                a2 = T.AddPairProducts(a2, u, q2);
                b2 = T.AddPairProducts(b2, v, q2);
                var q3 = T.BroadcastBits(q[3]);
                a3 = T.AddPairProducts(a3, u, q3);
                b3 = T.AddPairProducts(b3, v, q3);
                if (TWidth.Rows == 4) continue;
                var q4 = T.BroadcastBits(q[4]);
                a4 = T.AddPairProducts(a4, u, q4);
                b4 = T.AddPairProducts(b4, v, q4);
                var q5 = T.BroadcastBits(q[5]);
                a5 = T.AddPairProducts(a5, u, q5);
                b5 = T.AddPairProducts(b5, v, q5);
            }
            var isNew = ends.Begins && g == 0;
            Put(a0, b0, d[0], isNew, sums);
            Put(a1, b1, d[1], isNew, sums + Row);
            Put(a2, b2, d[2], isNew, sums + (2 * Row));
            Put(a3, b3, d[3], isNew, sums + (3 * Row));
            if (TWidth.Rows == 4) continue;
            Put(a4, b4, d[4], isNew, sums + (4 * Row));
            Put(a5, b5, d[5], isNew, sums + (5 * Row));
        }
        for (var t = 0; t < TWidth.Rows && ends.Ends; t++, sums += Row, y += Row)
        {
            T.Store(T.Fma(T.Load(sums) * ends.Half, ends.First, T.Load(y)), y);
            T.Store(T.Fma(T.Load(sums + T.Lanes) * ends.Half, ends.Second, T.Load(y + T.Lanes)), y + T.Lanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T a, T b, float d, bool isNew, float* sums)
    {
        var (left, right) = isNew ? (T.Broadcast(0), T.Broadcast(0)) : (T.Load(sums), T.Load(sums + T.Lanes));
        T.Store(T.Fma(T.PairSumToFloat(a), T.Broadcast(d), left), sums);
        T.Store(T.Fma(T.PairSumToFloat(b), T.Broadcast(d), right), sums + T.Lanes);
    }
}
