using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// y[t, n] = Σ over segments of scale[n, s] · Σ over groups of 32 of d[t, g] · Σ (code − zero) · q: the inner sums in integers.
/// As with floats, each output is one fixed chain, and here the chains are the same bits on every instruction set.
/// </summary>
/// <remarks>
/// A group of columns is unpacked once, into eight registers, for all rows of the input, which then pass by: eight multiply-adds a row and register
/// of outputs, and the end of a group. What the codes' offset of 8 adds to a sum is where the sum begins (<see cref="Int8Activations"/>).
/// </remarks>
internal static unsafe class Int4ByInt8Kernel<T, TZeros>
    where T : unmanaged, IRegister<T>
    where TZeros : struct, IZeroPoints
{
    private const int WordsAGroup = 4;
    private const int NearWords = 512;
    private const int FarWords = 4096;

    /// <summary>One tile: 16 outputs of each of <paramref name="count"/> input rows.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="x">The input.</param>
    /// <param name="offsets">[count] where an input row begins.</param>
    /// <param name="count">Input rows.</param>
    /// <param name="sums">[count, 16] what was summed of the segment at work; used where a segment has several groups.</param>
    /// <param name="y">[count] outputs, <see cref="TileMatMul.SumStride"/> apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in TileCursor tile, TileLayout layout, in Int8Activations x, nint* offsets, int count, float* sums, float* y)
    {
        var words = tile.Words;
        var group = x.Records;
        for (var t = 0; t < count; t++)
        {
            for (var lane = 0; lane < 16; lane += T.Lanes) T.Store(T.Broadcast(0), y + (t * TileMatMul.SumStride) + lane);
        }
        fixed (int* segmentWords = layout.SegmentWords)
        {
            for (var s = 0; s < layout.Segments; s++)
            {
                var isAlone = segmentWords[s] == WordsAGroup;
                for (var w = 0; w < segmentWords[s]; w += WordsAGroup, words += 16 * WordsAGroup, group += Int8Activations.RecordBytes)
                {
                    if (Sse.IsSupported)
                    {
                        Sse.Prefetch0(words + NearWords);
                        Sse.Prefetch0(words + NearWords + 16);
                        Sse.Prefetch0(words + NearWords + 32);
                        Sse.Prefetch0(words + NearWords + 48);
                        Sse.Prefetch1(words + FarWords);
                        Sse.Prefetch1(words + FarWords + 16);
                        Sse.Prefetch1(words + FarWords + 32);
                        Sse.Prefetch1(words + FarWords + 48);
                    }
                    for (var lane = 0; lane < 16; lane += T.Lanes)
                    {
                        var (b0, b1) = (T.Load(words + lane), T.Load(words + 16 + lane));
                        var (b2, b3) = (T.Load(words + 32 + lane), T.Load(words + 48 + lane));
                        var (l0, l1, l2, l3) = (T.LowNibbles(b0), T.LowNibbles(b1), T.LowNibbles(b2), T.LowNibbles(b3));
                        var (h0, h1, h2, h3) = (T.HighNibbles(b0), T.HighNibbles(b1), T.HighNibbles(b2), T.HighNibbles(b3));
                        var scale = tile.Scale<T>(s, lane);
                        var zero = TZeros.AreStored ? T.Broadcast(8) - tile.Zero<T>(s, lane) : default;
                        if (isAlone)
                        {
                            var to = y + lane;
                            for (var t = 0; t < count; t++, to += TileMatMul.SumStride)
                            {
                                var row = group + offsets[t];
                                var q = (int*)row;
                                // Four short chains: one of eight steps would take longer than all the multiplications beside it.
                                var c0 = T.AddByteProducts(T.ByteProducts(l0, q[0]), l1, q[1]);
                                var c1 = T.AddByteProducts(T.ByteProducts(l2, q[2]), l3, q[3]);
                                var c2 = T.AddByteProducts(T.ByteProducts(h0, q[4]), h1, q[5]);
                                var c3 = T.AddByteProducts(T.ByteProducts(h2, q[6]), h3, q[7]);
                                var start = T.ByteSum(*(int*)(row + Int8Activations.StartAt));
                                var value = T.SumToFloat(T.AddByteSums(T.AddByteSums(c0, c1), T.AddByteSums(T.AddByteSums(c2, c3), start)));
                                // Integers below 2^24 until here: nothing is rounded.
                                if (TZeros.AreStored) value = T.Fma(zero, T.Broadcast(*(float*)(row + Int8Activations.SumAt)), value);
                                T.Store(T.Fma(value * T.Broadcast(*(float*)(row + Int8Activations.ScaleAt)), scale, T.Load(to)), to);
                            }
                            continue;
                        }
                        var partial = sums + lane;
                        for (var t = 0; t < count; t++, partial += 16)
                        {
                            var row = group + offsets[t];
                            var q = (int*)row;
                            // Four short chains: one of eight steps would take longer than all the multiplications beside it.
                            var c0 = T.AddByteProducts(T.ByteProducts(l0, q[0]), l1, q[1]);
                            var c1 = T.AddByteProducts(T.ByteProducts(l2, q[2]), l3, q[3]);
                            var c2 = T.AddByteProducts(T.ByteProducts(h0, q[4]), h1, q[5]);
                            var c3 = T.AddByteProducts(T.ByteProducts(h2, q[6]), h3, q[7]);
                            var start = T.ByteSum(*(int*)(row + Int8Activations.StartAt));
                            var value = T.SumToFloat(T.AddByteSums(T.AddByteSums(c0, c1), T.AddByteSums(T.AddByteSums(c2, c3), start)));
                            if (TZeros.AreStored) value = T.Fma(zero, T.Broadcast(*(float*)(row + Int8Activations.SumAt)), value);
                            var before = w == 0 ? T.Broadcast(0) : T.Load(partial);
                            T.Store(T.Fma(value, T.Broadcast(*(float*)(row + Int8Activations.ScaleAt)), before), partial);
                        }
                    }
                }
                if (isAlone) continue;
                for (var lane = 0; lane < 16; lane += T.Lanes)
                {
                    var scale = tile.Scale<T>(s, lane);
                    for (var t = 0; t < count && segmentWords[s] > 0; t++)
                    {
                        var to = y + (t * TileMatMul.SumStride) + lane;
                        T.Store(T.Fma(T.Load(sums + (t * 16) + lane), scale, T.Load(to)), to);
                    }
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
