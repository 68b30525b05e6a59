using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// The inner sums. Lane = row: a word's code of every row is multiplied with one broadcast input, code after code, segment after segment, so each output is one fixed
/// chain of fused multiply-adds, whatever is computed beside it. Four chains run interleaved to hide their latency: four tiles of one token, or four tokens of one tile.
/// </summary>
internal static unsafe class TileKernel<T, TFormat>
    where T : unmanaged, IVector16<T>
    where TFormat : struct, ITileFormat
{
    /// <summary>One tile, one token: 16 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void One(in TileCursor tile, TileLayout layout, float* x, float* y)
    {
        var words = tile.Words;
        var total = T.Broadcast(0);
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
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
                total = tile.Scaled(s, sum, total);
            }
        }
        T.Store(total, y);
    }

    /// <summary>Four neighbouring tiles, one token: 64 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourTiles(in TileCursor tile, TileLayout layout, float* x, float* y)
    {
        var stride = (nint)layout.Words * 16;
        var scales = layout.Segments;
        var words = tile.Words;
        var (t0, t1, t2, t3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
            {
                var (o0, o1, o2, o3) = (tile.Offset<T>(s), tile.Offset<T>(s + scales), tile.Offset<T>(s + (2 * scales)), tile.Offset<T>(s + (3 * scales)));
                var (s0, s1, s2, s3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
                for (var w = 0; w < segmentWords[s]; w++, words += 16)
                {
                    var at = x + TFormat.WordColumn(w);
                    if (Sse.IsSupported)
                    {
                        // Four streams of one cache line a word, fetched some 2 KiB ahead.
                        Sse.Prefetch0(words + 512);
                        Sse.Prefetch0(words + stride + 512);
                        Sse.Prefetch0(words + (2 * stride) + 512);
                        Sse.Prefetch0(words + (3 * stride) + 512);
                    }
                    var (c0, c1, c2, c3) = (T.Load(words), T.Load(words + stride), T.Load(words + (2 * stride)), T.Load(words + (3 * stride)));
                    var x0 = T.Broadcast(at[TFormat.CodeColumn(0)]);
                    s0 = T.Fma(TFormat.Value(c0, 0, o0), x0, s0);
                    s1 = T.Fma(TFormat.Value(c1, 0, o1), x0, s1);
                    s2 = T.Fma(TFormat.Value(c2, 0, o2), x0, s2);
                    s3 = T.Fma(TFormat.Value(c3, 0, o3), x0, s3);
                    if (TFormat.PerWord >= 2)
                    {
                        var x1 = T.Broadcast(at[TFormat.CodeColumn(1)]);
                        s0 = T.Fma(TFormat.Value(c0, 1, o0), x1, s0);
                        s1 = T.Fma(TFormat.Value(c1, 1, o1), x1, s1);
                        s2 = T.Fma(TFormat.Value(c2, 1, o2), x1, s2);
                        s3 = T.Fma(TFormat.Value(c3, 1, o3), x1, s3);
                    }
                    if (TFormat.PerWord >= 4)
                    {
                        var x2 = T.Broadcast(at[TFormat.CodeColumn(2)]);
                        s0 = T.Fma(TFormat.Value(c0, 2, o0), x2, s0);
                        s1 = T.Fma(TFormat.Value(c1, 2, o1), x2, s1);
                        s2 = T.Fma(TFormat.Value(c2, 2, o2), x2, s2);
                        s3 = T.Fma(TFormat.Value(c3, 2, o3), x2, s3);
                        var x3 = T.Broadcast(at[TFormat.CodeColumn(3)]);
                        s0 = T.Fma(TFormat.Value(c0, 3, o0), x3, s0);
                        s1 = T.Fma(TFormat.Value(c1, 3, o1), x3, s1);
                        s2 = T.Fma(TFormat.Value(c2, 3, o2), x3, s2);
                        s3 = T.Fma(TFormat.Value(c3, 3, o3), x3, s3);
                    }
                    if (TFormat.PerWord >= 8)
                    {
                        var x4 = T.Broadcast(at[TFormat.CodeColumn(4)]);
                        s0 = T.Fma(TFormat.Value(c0, 4, o0), x4, s0);
                        s1 = T.Fma(TFormat.Value(c1, 4, o1), x4, s1);
                        s2 = T.Fma(TFormat.Value(c2, 4, o2), x4, s2);
                        s3 = T.Fma(TFormat.Value(c3, 4, o3), x4, s3);
                        var x5 = T.Broadcast(at[TFormat.CodeColumn(5)]);
                        s0 = T.Fma(TFormat.Value(c0, 5, o0), x5, s0);
                        s1 = T.Fma(TFormat.Value(c1, 5, o1), x5, s1);
                        s2 = T.Fma(TFormat.Value(c2, 5, o2), x5, s2);
                        s3 = T.Fma(TFormat.Value(c3, 5, o3), x5, s3);
                        var x6 = T.Broadcast(at[TFormat.CodeColumn(6)]);
                        s0 = T.Fma(TFormat.Value(c0, 6, o0), x6, s0);
                        s1 = T.Fma(TFormat.Value(c1, 6, o1), x6, s1);
                        s2 = T.Fma(TFormat.Value(c2, 6, o2), x6, s2);
                        s3 = T.Fma(TFormat.Value(c3, 6, o3), x6, s3);
                        var x7 = T.Broadcast(at[TFormat.CodeColumn(7)]);
                        s0 = T.Fma(TFormat.Value(c0, 7, o0), x7, s0);
                        s1 = T.Fma(TFormat.Value(c1, 7, o1), x7, s1);
                        s2 = T.Fma(TFormat.Value(c2, 7, o2), x7, s2);
                        s3 = T.Fma(TFormat.Value(c3, 7, o3), x7, s3);
                    }
                }
                x += segmentWords[s] * TFormat.PerWord;
                t0 = tile.Scaled(s, s0, t0);
                t1 = tile.Scaled(s + scales, s1, t1);
                t2 = tile.Scaled(s + (2 * scales), s2, t2);
                t3 = tile.Scaled(s + (3 * scales), s3, t3);
            }
        }
        T.Store(t0, y);
        T.Store(t1, y + 16);
        T.Store(t2, y + 32);
        T.Store(t3, y + 48);
    }

    /// <summary>One tile, four tokens: 16 outputs of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourTokens(in TileCursor tile, TileLayout layout, float* x0, float* x1, float* x2, float* x3, float* y)
    {
        var words = tile.Words;
        var (t0, t1, t2, t3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
        fixed (int* segmentWords = layout.SegmentWords)
        {
            nint place = 0;
            for (var s = 0; s < layout.Segments; s++)
            {
                var offset = tile.Offset<T>(s);
                var (s0, s1, s2, s3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
                for (var w = 0; w < segmentWords[s]; w++, words += 16)
                {
                    var at = place + TFormat.WordColumn(w);
                    var c = T.Load(words);
                    var v0 = TFormat.Value(c, 0, offset);
                    s0 = T.Fma(v0, T.Broadcast(x0[at + TFormat.CodeColumn(0)]), s0);
                    s1 = T.Fma(v0, T.Broadcast(x1[at + TFormat.CodeColumn(0)]), s1);
                    s2 = T.Fma(v0, T.Broadcast(x2[at + TFormat.CodeColumn(0)]), s2);
                    s3 = T.Fma(v0, T.Broadcast(x3[at + TFormat.CodeColumn(0)]), s3);
                    if (TFormat.PerWord >= 2)
                    {
                        var v1 = TFormat.Value(c, 1, offset);
                        s0 = T.Fma(v1, T.Broadcast(x0[at + TFormat.CodeColumn(1)]), s0);
                        s1 = T.Fma(v1, T.Broadcast(x1[at + TFormat.CodeColumn(1)]), s1);
                        s2 = T.Fma(v1, T.Broadcast(x2[at + TFormat.CodeColumn(1)]), s2);
                        s3 = T.Fma(v1, T.Broadcast(x3[at + TFormat.CodeColumn(1)]), s3);
                    }
                    if (TFormat.PerWord >= 4)
                    {
                        var v2 = TFormat.Value(c, 2, offset);
                        s0 = T.Fma(v2, T.Broadcast(x0[at + TFormat.CodeColumn(2)]), s0);
                        s1 = T.Fma(v2, T.Broadcast(x1[at + TFormat.CodeColumn(2)]), s1);
                        s2 = T.Fma(v2, T.Broadcast(x2[at + TFormat.CodeColumn(2)]), s2);
                        s3 = T.Fma(v2, T.Broadcast(x3[at + TFormat.CodeColumn(2)]), s3);
                        var v3 = TFormat.Value(c, 3, offset);
                        s0 = T.Fma(v3, T.Broadcast(x0[at + TFormat.CodeColumn(3)]), s0);
                        s1 = T.Fma(v3, T.Broadcast(x1[at + TFormat.CodeColumn(3)]), s1);
                        s2 = T.Fma(v3, T.Broadcast(x2[at + TFormat.CodeColumn(3)]), s2);
                        s3 = T.Fma(v3, T.Broadcast(x3[at + TFormat.CodeColumn(3)]), s3);
                    }
                    if (TFormat.PerWord >= 8)
                    {
                        var v4 = TFormat.Value(c, 4, offset);
                        s0 = T.Fma(v4, T.Broadcast(x0[at + TFormat.CodeColumn(4)]), s0);
                        s1 = T.Fma(v4, T.Broadcast(x1[at + TFormat.CodeColumn(4)]), s1);
                        s2 = T.Fma(v4, T.Broadcast(x2[at + TFormat.CodeColumn(4)]), s2);
                        s3 = T.Fma(v4, T.Broadcast(x3[at + TFormat.CodeColumn(4)]), s3);
                        var v5 = TFormat.Value(c, 5, offset);
                        s0 = T.Fma(v5, T.Broadcast(x0[at + TFormat.CodeColumn(5)]), s0);
                        s1 = T.Fma(v5, T.Broadcast(x1[at + TFormat.CodeColumn(5)]), s1);
                        s2 = T.Fma(v5, T.Broadcast(x2[at + TFormat.CodeColumn(5)]), s2);
                        s3 = T.Fma(v5, T.Broadcast(x3[at + TFormat.CodeColumn(5)]), s3);
                        var v6 = TFormat.Value(c, 6, offset);
                        s0 = T.Fma(v6, T.Broadcast(x0[at + TFormat.CodeColumn(6)]), s0);
                        s1 = T.Fma(v6, T.Broadcast(x1[at + TFormat.CodeColumn(6)]), s1);
                        s2 = T.Fma(v6, T.Broadcast(x2[at + TFormat.CodeColumn(6)]), s2);
                        s3 = T.Fma(v6, T.Broadcast(x3[at + TFormat.CodeColumn(6)]), s3);
                        var v7 = TFormat.Value(c, 7, offset);
                        s0 = T.Fma(v7, T.Broadcast(x0[at + TFormat.CodeColumn(7)]), s0);
                        s1 = T.Fma(v7, T.Broadcast(x1[at + TFormat.CodeColumn(7)]), s1);
                        s2 = T.Fma(v7, T.Broadcast(x2[at + TFormat.CodeColumn(7)]), s2);
                        s3 = T.Fma(v7, T.Broadcast(x3[at + TFormat.CodeColumn(7)]), s3);
                    }
                }
                place += segmentWords[s] * TFormat.PerWord;
                t0 = tile.Scaled(s, s0, t0);
                t1 = tile.Scaled(s, s1, t1);
                t2 = tile.Scaled(s, s2, t2);
                t3 = tile.Scaled(s, s3, t3);
            }
        }
        T.Store(t0, y);
        T.Store(t1, y + 16);
        T.Store(t2, y + 32);
        T.Store(t3, y + 48);
    }
}
