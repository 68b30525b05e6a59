using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// <see cref="Int4ByInt8Kernel{T, TZeros}"/> for one row of the input, to the same bits. Nothing is unpacked to be used again: two registers of
/// outputs go through the columns together, their sums in registers, and share what is broadcast of the input.
/// </summary>
internal static unsafe class Int4ByInt8Row<T, TZeros>
    where T : unmanaged, IRegister<T>
    where TZeros : struct, IZeroPoints
{
    private const int WordsAGroup = 4;

    /// <summary>As many outputs as two registers have lanes.</summary>
    /// <param name="first">The tile of the first register.</param>
    /// <param name="second">The tile of the second, the same one or another.</param>
    /// <param name="lane">The first lane of the first register in its tile.</param>
    /// <param name="other">The same of the second.</param>
    /// <param name="layout">The tiles' columns.</param>
    /// <param name="record">The row's groups.</param>
    /// <param name="y">The first register's outputs, then the second's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        in TileCursor first, in TileCursor second, int lane, int other, TileLayout layout, byte* record, float* y)
    {
        var u = first.Words + lane;
        var v = second.Words + other;
        var word = 0;
        var (total, otherTotal) = (T.Broadcast(0), T.Broadcast(0));
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
            {
                var (sum, otherSum) = (T.Broadcast(0), T.Broadcast(0));
                var (zero, otherZero) = TZeros.AreStored
                    ? (T.Broadcast(8) - first.Zero<T>(s, lane), T.Broadcast(8) - second.Zero<T>(s, other))
                    : (default, default);
                for (var w = 0; w < segmentWords[s]; w += WordsAGroup, record += Int8Activations.RecordBytes)
                {
                    var ahead = TilePrefetch.From(layout, word, T.Lanes / 8);
                    TilePrefetch.Group(u, ahead);
                    if (T.Lanes == 16) TilePrefetch.Group(v, ahead);
                    var q = (int*)record;
                    var start = T.ByteSum(*(int*)(record + Int8Activations.StartAt));
                    var (a, b, c, d) = (start, T.ByteSum(0), start, T.ByteSum(0));
                    var (bits, otherBits) = (T.Load(u), T.Load(v));
                    var (x, z) = (T.BroadcastBits(q[0]), T.BroadcastBits(q[4]));
                    (a, c) = (T.AddByteProducts(a, T.LowNibbles(bits), x), T.AddByteProducts(c, T.LowNibbles(otherBits), x));
                    (b, d) = (T.AddByteProducts(b, T.HighNibbles(bits), z), T.AddByteProducts(d, T.HighNibbles(otherBits), z));
                    (bits, otherBits) = (T.Load(u + 16), T.Load(v + 16));
                    (x, z) = (T.BroadcastBits(q[1]), T.BroadcastBits(q[5]));
                    (a, c) = (T.AddByteProducts(a, T.LowNibbles(bits), x), T.AddByteProducts(c, T.LowNibbles(otherBits), x));
                    (b, d) = (T.AddByteProducts(b, T.HighNibbles(bits), z), T.AddByteProducts(d, T.HighNibbles(otherBits), z));
                    (bits, otherBits) = (T.Load(u + 32), T.Load(v + 32));
                    (x, z) = (T.BroadcastBits(q[2]), T.BroadcastBits(q[6]));
                    (a, c) = (T.AddByteProducts(a, T.LowNibbles(bits), x), T.AddByteProducts(c, T.LowNibbles(otherBits), x));
                    (b, d) = (T.AddByteProducts(b, T.HighNibbles(bits), z), T.AddByteProducts(d, T.HighNibbles(otherBits), z));
                    (bits, otherBits) = (T.Load(u + 48), T.Load(v + 48));
                    (x, z) = (T.BroadcastBits(q[3]), T.BroadcastBits(q[7]));
                    (a, c) = (T.AddByteProducts(a, T.LowNibbles(bits), x), T.AddByteProducts(c, T.LowNibbles(otherBits), x));
                    (b, d) = (T.AddByteProducts(b, T.HighNibbles(bits), z), T.AddByteProducts(d, T.HighNibbles(otherBits), z));
                    var (value, otherValue) = (T.SumToFloat(T.AddByteSums(a, b)), T.SumToFloat(T.AddByteSums(c, d)));
                    if (TZeros.AreStored)
                    {
                        var all = T.Broadcast(*(float*)(record + Int8Activations.SumAt));
                        (value, otherValue) = (T.Fma(zero, all, value), T.Fma(otherZero, all, otherValue));
                    }
                    var scale = T.Broadcast(*(float*)(record + Int8Activations.ScaleAt));
                    // The first product of a segment is rounded by itself: adding it to zero changes nothing.
                    (sum, otherSum) = (T.Fma(value, scale, sum), T.Fma(otherValue, scale, otherSum));
                    u += 16 * WordsAGroup;
                    v += 16 * WordsAGroup;
                    word += WordsAGroup;
                }
                total = T.Fma(sum, first.Scale<T>(s, lane), total);
                otherTotal = T.Fma(otherSum, second.Scale<T>(s, other), otherTotal);
            }
        }
        T.Store(total, y);
        T.Store(otherTotal, y + T.Lanes);
    }
}
