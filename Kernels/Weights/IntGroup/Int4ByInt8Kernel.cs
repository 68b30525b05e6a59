using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// y[t, n] = Σ over segments of scale[n, s] · Σ over groups of 32 of d[t, g] · (Σ code · q − zero · Σ q): the inner sums in integers.
/// As with floats, each output is one fixed chain, and here the chains are the same bits on every instruction set.
/// </summary>
internal static unsafe class Int4ByInt8Kernel<T> where T : unmanaged, IVector16<T>
{
    private const uint Nibbles = 0x0F0F0F0F;
    private const int WordsAGroup = 4;

    /// <summary>One tile, one token: 16 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void One(in TileCursor tile, TileLayout layout, in Int8Activations x, int row, float* y)
    {
        var words = tile.Words;
        var q = x.RowCodes(row);
        var d = x.RowScales(row);
        var sums = x.RowSums(row);
        var total = T.Broadcast(0);
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
            {
                var zero = tile.Offset<T>(s) - T.Broadcast(8388608f);
                var segment = T.Broadcast(0);
                for (var w = 0; w < segmentWords[s]; w += WordsAGroup)
                {
                    var sum = T.Broadcast(0);
                    for (var j = 0; j < WordsAGroup; j++, words += 16)
                    {
                        var bits = T.Load(words);
                        sum = T.AddByteProducts(sum, T.And(bits, Nibbles), ((int*)q)[j]);
                        sum = T.AddByteProducts(sum, T.And(T.ShiftRight(bits, 4), Nibbles), ((int*)q)[j + 4]);
                    }
                    segment = Group(sum, zero, *sums++, *d++, segment);
                    q += Int8Activations.Group;
                }
                total = tile.Scaled(s, segment, total);
            }
        }
        T.Store(total, y);
    }

    /// <summary>One tile, four tokens: 16 outputs of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourTokens(in TileCursor tile, TileLayout layout, in Int8Activations x, int r0, int r1, int r2, int r3, float* y)
    {
        var words = tile.Words;
        var q0 = (int*)x.RowCodes(r0);
        var d0 = x.RowScales(r0);
        var sums0 = x.RowSums(r0);
        var q1 = (int*)x.RowCodes(r1);
        var d1 = x.RowScales(r1);
        var sums1 = x.RowSums(r1);
        var q2 = (int*)x.RowCodes(r2);
        var d2 = x.RowScales(r2);
        var sums2 = x.RowSums(r2);
        var q3 = (int*)x.RowCodes(r3);
        var d3 = x.RowScales(r3);
        var sums3 = x.RowSums(r3);
        var (t0, t1, t2, t3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
        var g = 0;
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
            {
                var zero = tile.Offset<T>(s) - T.Broadcast(8388608f);
                var (s0, s1, s2, s3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
                for (var w = 0; w < segmentWords[s]; w += WordsAGroup, g++)
                {
                    var (i0, i1, i2, i3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
                    for (var j = 0; j < WordsAGroup; j++, words += 16)
                    {
                        var bits = T.Load(words);
                        var low = T.And(bits, Nibbles);
                        var high = T.And(T.ShiftRight(bits, 4), Nibbles);
                        var at = (g * 8) + j;
                        i0 = T.AddByteProducts(T.AddByteProducts(i0, low, q0[at]), high, q0[at + 4]);
                        i1 = T.AddByteProducts(T.AddByteProducts(i1, low, q1[at]), high, q1[at + 4]);
                        i2 = T.AddByteProducts(T.AddByteProducts(i2, low, q2[at]), high, q2[at + 4]);
                        i3 = T.AddByteProducts(T.AddByteProducts(i3, low, q3[at]), high, q3[at + 4]);
                    }
                    s0 = Group(i0, zero, sums0[g], d0[g], s0);
                    s1 = Group(i1, zero, sums1[g], d1[g], s1);
                    s2 = Group(i2, zero, sums2[g], d2[g], s2);
                    s3 = Group(i3, zero, sums3[g], d3[g], s3);
                }
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

    // Every number before the product with d is an integer below 2^24: nothing is rounded until then.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Group(T sum, T zero, float sumOfActivations, float scale, T total) =>
        T.Fma(T.SumToFloat(sum) - (zero * T.Broadcast(sumOfActivations)), T.Broadcast(scale), total);
}
