using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// y[t, n] = Σ over segments of scale[n, s] · Σ over groups of 32 of d[t, g] · Σ (code − zero) · q: the inner sums in integers.
/// As with floats, each output is one fixed chain, and here the chains are the same bits on every instruction set.
/// </summary>
/// <remarks>
/// A group of columns is unpacked once, for two registers of outputs, into sixteen registers, for all rows of the input, which then pass by: eight
/// multiply-adds a row and register of outputs, and the end of a group. Two, because what is broadcast of the input would otherwise be loaded once a
/// multiplication, and loads are what a processor has fewer of. What the codes' offset of 8 adds to a sum is where the sum begins
/// (<see cref="Int8Activations"/>).
/// </remarks>
internal static unsafe class Int4ByInt8Kernel<T, TZeros>
    where T : unmanaged, IRegister<T>
    where TZeros : struct, IZeroPoints
{
    private const int WordsAGroup = 4;

    /// <summary>As many outputs as two registers have lanes, of each of <paramref name="count"/> input rows.</summary>
    /// <param name="first">The tile of the first register.</param>
    /// <param name="second">The tile of the second, the same one or another.</param>
    /// <param name="lane">The first lane of the first register in its tile.</param>
    /// <param name="other">The same of the second.</param>
    /// <param name="layout">The tiles' columns.</param>
    /// <param name="x">The input.</param>
    /// <param name="offsets">[count] where an input row begins.</param>
    /// <param name="count">Input rows.</param>
    /// <param name="sums">[count, 2 registers] what was summed of the segment at work; used where a segment has several groups.</param>
    /// <param name="y">[count] outputs of the first register, then of the second; <see cref="TileMatMul.SumStride"/> apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        in TileCursor first, in TileCursor second, int lane, int other, TileLayout layout, in Int8Activations x, nint* offsets, int count,
        float* sums, float* y)
    {
        var u = first.Words + lane;
        var v = second.Words + other;
        var group = x.Records;
        var word = 0;
        for (var t = 0; t < count; t++)
        {
            T.Store(T.Broadcast(0), y + (t * TileMatMul.SumStride));
            T.Store(T.Broadcast(0), y + T.Lanes + (t * TileMatMul.SumStride));
        }
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
            {
                var isAlone = segmentWords[s] == WordsAGroup;
                var (scale, otherScale) = (first.Scale<T>(s, lane), second.Scale<T>(s, other));
                var (zero, otherZero) = TZeros.AreStored
                    ? (T.Broadcast(8) - first.Zero<T>(s, lane), T.Broadcast(8) - second.Zero<T>(s, other))
                    : (default, default);
                for (var w = 0; w < segmentWords[s]; w += WordsAGroup, word += WordsAGroup, group += Int8Activations.RecordBytes)
                {
                    var ahead = TilePrefetch.From(layout, word, T.Lanes / 8);
                    TilePrefetch.Group(u, ahead);
                    if (T.Lanes == 16) TilePrefetch.Group(v, ahead);
                    var (b0, b1, b2, b3) = (T.Load(u), T.Load(u + 16), T.Load(u + 32), T.Load(u + 48));
                    var (l0, l1, l2, l3) = (T.LowNibbles(b0), T.LowNibbles(b1), T.LowNibbles(b2), T.LowNibbles(b3));
                    var (h0, h1, h2, h3) = (T.HighNibbles(b0), T.HighNibbles(b1), T.HighNibbles(b2), T.HighNibbles(b3));
                    var (c0, c1, c2, c3) = (T.Load(v), T.Load(v + 16), T.Load(v + 32), T.Load(v + 48));
                    var (m0, m1, m2, m3) = (T.LowNibbles(c0), T.LowNibbles(c1), T.LowNibbles(c2), T.LowNibbles(c3));
                    var (i0, i1, i2, i3) = (T.HighNibbles(c0), T.HighNibbles(c1), T.HighNibbles(c2), T.HighNibbles(c3));
                    var to = isAlone ? y : sums;
                    var step = isAlone ? TileMatMul.SumStride : 2 * T.Lanes;
                    for (var t = 0; t < count; t++, to += step)
                    {
                        var row = group + offsets[t];
                        var q = (int*)row;
                        // Two short chains a register: one of eight steps would take longer than all the multiplications beside it.
                        var start = T.ByteSum(*(int*)(row + Int8Activations.StartAt));
                        var x0 = T.BroadcastBits(q[0]);
                        var (p, r) = (T.AddByteProducts(start, l0, x0), T.AddByteProducts(start, m0, x0));
                        var x1 = T.BroadcastBits(q[1]);
                        (p, r) = (T.AddByteProducts(p, l1, x1), T.AddByteProducts(r, m1, x1));
                        var x2 = T.BroadcastBits(q[2]);
                        (p, r) = (T.AddByteProducts(p, l2, x2), T.AddByteProducts(r, m2, x2));
                        var x3 = T.BroadcastBits(q[3]);
                        (p, r) = (T.AddByteProducts(p, l3, x3), T.AddByteProducts(r, m3, x3));
                        var z0 = T.BroadcastBits(q[4]);
                        var (o, n) = (T.ByteProducts(h0, z0), T.ByteProducts(i0, z0));
                        var z1 = T.BroadcastBits(q[5]);
                        (o, n) = (T.AddByteProducts(o, h1, z1), T.AddByteProducts(n, i1, z1));
                        var z2 = T.BroadcastBits(q[6]);
                        (o, n) = (T.AddByteProducts(o, h2, z2), T.AddByteProducts(n, i2, z2));
                        var z3 = T.BroadcastBits(q[7]);
                        (o, n) = (T.AddByteProducts(o, h3, z3), T.AddByteProducts(n, i3, z3));
                        var (value, otherValue) = (T.SumToFloat(T.AddByteSums(p, o)), T.SumToFloat(T.AddByteSums(r, n)));
                        // Integers below 2^24 until here: nothing is rounded.
                        if (TZeros.AreStored)
                        {
                            var all = T.Broadcast(*(float*)(row + Int8Activations.SumAt));
                            (value, otherValue) = (T.Fma(zero, all, value), T.Fma(otherZero, all, otherValue));
                        }
                        var d = T.Broadcast(*(float*)(row + Int8Activations.ScaleAt));
                        if (isAlone)
                        {
                            T.Store(T.Fma(value * d, scale, T.Load(to)), to);
                            T.Store(T.Fma(otherValue * d, otherScale, T.Load(to + T.Lanes)), to + T.Lanes);
                            continue;
                        }
                        var (before, otherBefore) = w == 0 ? (T.Broadcast(0), T.Broadcast(0)) : (T.Load(to), T.Load(to + T.Lanes));
                        T.Store(T.Fma(value, d, before), to);
                        T.Store(T.Fma(otherValue, d, otherBefore), to + T.Lanes);
                    }
                    u += 16 * WordsAGroup;
                    v += 16 * WordsAGroup;
                }
                for (var t = 0; t < count && !isAlone && segmentWords[s] > 0; t++)
                {
                    var (from, to) = ((nint)(sums + (t * 2 * T.Lanes)), (nint)(y + (t * TileMatMul.SumStride)));
                    T.Store(T.Fma(T.Load((float*)from), scale, T.Load((float*)to)), (float*)to);
                    T.Store(T.Fma(T.Load((float*)from + T.Lanes), otherScale, T.Load((float*)to + T.Lanes)), (float*)to + T.Lanes);
                }
            }
        }
    }
}

/// <summary>Whether codes have zero points of their own beside them, or 8 for all.</summary>
internal interface IZeroPoints
{
    static abstract bool AreStored { get; }
}

/// <summary>A zero point a row and segment.</summary>
internal readonly struct StoredZeros : IZeroPoints
{
    public static bool AreStored => true;
}

/// <summary>8 for all.</summary>
internal readonly struct MiddleZeros : IZeroPoints
{
    public static bool AreStored => false;
}
