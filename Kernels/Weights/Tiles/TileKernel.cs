using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// The inner sums (micro-kernel) of GEMM and GEMV. Lane = row: a word's code of every row is multiplied with one broadcast input, code after code,
/// segment after segment, so each output is one fixed chain of fused multiply-adds, whatever is computed beside it. Chains run interleaved to hide
/// their latency: two tiles of one token. Many tokens together are <see cref="PanelKernel{T, TWidth}"/>'s.
/// </summary>
/// <remarks>
/// More tiles at once would not fit the sixteen registers of AVX2. The bodies are written out flat because the compiler stops inlining past a certain
/// amount, and one vector operation that is a call costs more than all the others together.
/// </remarks>
internal static unsafe class TileKernel<T, TFormat>
    where T : unmanaged, IVector16<T>
    where TFormat : struct, ITileFormat
{
    /// <summary>What inputs must be multiplied with before, and sums are multiplied with here.</summary>
    public static float HalfPower
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BitConverter.Int32BitsToSingle((127 + (TFormat.Exponent / 2)) << 23);
    }

    /// <summary>One tile, one token: 16 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void One(in TileCursor tile, TileLayout layout, float* x, float* y)
    {
        var words = tile.Words;
        var segments = layout.SegmentWords.Length;
        var total = T.Broadcast(0);
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < segments; s++)
            {
                var offset = tile.Offset<T>(s);
                var sum = T.Broadcast(0);
                for (var w = 0; w < segmentWords[s]; w++, words += 16)
                {
                    var at = x + TFormat.WordColumn(w);
                    var c = T.Load(words);
                    sum = T.Fma(TFormat.Value(c, 0, offset), T.Broadcast(at[TFormat.CodeColumn(0)]), sum);
                    if (TFormat.PerWord >= 2)
                    {
                        sum = T.Fma(TFormat.Value(c, 1, offset), T.Broadcast(at[TFormat.CodeColumn(1)]), sum);
                    }
                    if (TFormat.PerWord >= 4)
                    {
                        sum = T.Fma(TFormat.Value(c, 2, offset), T.Broadcast(at[TFormat.CodeColumn(2)]), sum);
                        sum = T.Fma(TFormat.Value(c, 3, offset), T.Broadcast(at[TFormat.CodeColumn(3)]), sum);
                    }
                    if (TFormat.PerWord >= 8)
                    {
                        sum = T.Fma(TFormat.Value(c, 4, offset), T.Broadcast(at[TFormat.CodeColumn(4)]), sum);
                        sum = T.Fma(TFormat.Value(c, 5, offset), T.Broadcast(at[TFormat.CodeColumn(5)]), sum);
                        sum = T.Fma(TFormat.Value(c, 6, offset), T.Broadcast(at[TFormat.CodeColumn(6)]), sum);
                        sum = T.Fma(TFormat.Value(c, 7, offset), T.Broadcast(at[TFormat.CodeColumn(7)]), sum);
                    }
                }
                x += segmentWords[s] * TFormat.PerWord;
                if (TFormat.Exponent != 0) sum *= T.Broadcast(HalfPower);
                total = tile.Scaled(s, sum, total);
            }
        }
        T.Store(total, y);
    }

    /// <summary>Two neighbouring tiles, one token: 32 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TwoTiles(in TileCursor tile, TileLayout layout, float* x, float* y)
    {
        var stride = (nint)layout.Words * 16;
        var segments = layout.SegmentWords.Length;
        var words = tile.Words;
        var (t0, t1) = (T.Broadcast(0), T.Broadcast(0));
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < segments; s++)
            {
                var (o0, o1) = (tile.Offset<T>(s), tile.Offset<T>(s + segments));
                var (s0, s1) = (T.Broadcast(0), T.Broadcast(0));
                for (var w = 0; w < segmentWords[s]; w++, words += 16)
                {
                    var at = x + TFormat.WordColumn(w);
                    if (Sse.IsSupported)
                    {
                        // Two streams of one cache line a word, fetched some 2 KiB ahead.
                        Sse.Prefetch0(words + 512);
                        Sse.Prefetch0(words + stride + 512);
                    }
                    var (c0, c1) = (T.Load(words), T.Load(words + stride));
                    var x0 = T.Broadcast(at[TFormat.CodeColumn(0)]);
                    s0 = T.Fma(TFormat.Value(c0, 0, o0), x0, s0);
                    s1 = T.Fma(TFormat.Value(c1, 0, o1), x0, s1);
                    if (TFormat.PerWord >= 2)
                    {
                        var x1 = T.Broadcast(at[TFormat.CodeColumn(1)]);
                        s0 = T.Fma(TFormat.Value(c0, 1, o0), x1, s0);
                        s1 = T.Fma(TFormat.Value(c1, 1, o1), x1, s1);
                    }
                    if (TFormat.PerWord >= 4)
                    {
                        var x2 = T.Broadcast(at[TFormat.CodeColumn(2)]);
                        s0 = T.Fma(TFormat.Value(c0, 2, o0), x2, s0);
                        s1 = T.Fma(TFormat.Value(c1, 2, o1), x2, s1);
                        var x3 = T.Broadcast(at[TFormat.CodeColumn(3)]);
                        s0 = T.Fma(TFormat.Value(c0, 3, o0), x3, s0);
                        s1 = T.Fma(TFormat.Value(c1, 3, o1), x3, s1);
                    }
                    if (TFormat.PerWord >= 8)
                    {
                        var x4 = T.Broadcast(at[TFormat.CodeColumn(4)]);
                        s0 = T.Fma(TFormat.Value(c0, 4, o0), x4, s0);
                        s1 = T.Fma(TFormat.Value(c1, 4, o1), x4, s1);
                        var x5 = T.Broadcast(at[TFormat.CodeColumn(5)]);
                        s0 = T.Fma(TFormat.Value(c0, 5, o0), x5, s0);
                        s1 = T.Fma(TFormat.Value(c1, 5, o1), x5, s1);
                        var x6 = T.Broadcast(at[TFormat.CodeColumn(6)]);
                        s0 = T.Fma(TFormat.Value(c0, 6, o0), x6, s0);
                        s1 = T.Fma(TFormat.Value(c1, 6, o1), x6, s1);
                        var x7 = T.Broadcast(at[TFormat.CodeColumn(7)]);
                        s0 = T.Fma(TFormat.Value(c0, 7, o0), x7, s0);
                        s1 = T.Fma(TFormat.Value(c1, 7, o1), x7, s1);
                    }
                }
                x += segmentWords[s] * TFormat.PerWord;
                if (TFormat.Exponent != 0)
                {
                    s0 *= T.Broadcast(HalfPower);
                    s1 *= T.Broadcast(HalfPower);
                }
                t0 = tile.Scaled(s, s0, t0);
                t1 = tile.Scaled(s + segments, s1, t1);
            }
        }
        T.Store(t0, y);
        T.Store(t1, y + 16);
    }

    /// <summary>Turns some codes of one tile into floats, [codes, 16] in the order in which the sums above visit them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode(in TileCursor tile, in TilePiece piece, float* into)
    {
        var offset = tile.Offset<T>(piece.Segment);
        var words = tile.Words + ((nint)piece.FirstCode / TFormat.PerWord * 16);
        // What the next block needs is fetched while this one is multiplied.
        var ahead = TileLayout.BlockCodes / TFormat.PerWord * 16;
        for (var end = into + (piece.Codes * 16); into < end; words += 16, into += 16 * TFormat.PerWord)
        {
            if (Sse.IsSupported) Sse.Prefetch0(words + ahead);
            var c = T.Load(words);
            T.Store(TFormat.Value(c, 0, offset), into);
            if (TFormat.PerWord >= 2) T.Store(TFormat.Value(c, 1, offset), into + 16);
            if (TFormat.PerWord >= 4)
            {
                T.Store(TFormat.Value(c, 2, offset), into + 32);
                T.Store(TFormat.Value(c, 3, offset), into + 48);
            }
            if (TFormat.PerWord >= 8)
            {
                T.Store(TFormat.Value(c, 4, offset), into + 64);
                T.Store(TFormat.Value(c, 5, offset), into + 80);
                T.Store(TFormat.Value(c, 6, offset), into + 96);
                T.Store(TFormat.Value(c, 7, offset), into + 112);
            }
        }
    }
}
