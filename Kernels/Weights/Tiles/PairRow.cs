using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// <see cref="PairKernel{T, TFormat}"/> for one row of the input, to the same bits: two registers of outputs go through the columns together, and
/// share what is broadcast of the input.
/// </summary>
internal static unsafe class PairRow<T, TFormat>
    where T : unmanaged, IRegister<T>
    where TFormat : struct, IPairFormat
{
    private const int WordsAGroup = Int16Activations.Group / 4;

    /// <summary>As many outputs as two registers have lanes.</summary>
    /// <param name="first">The tile of the first register.</param>
    /// <param name="second">The tile of the second, the same one or another.</param>
    /// <param name="lane">The first lane of the first register in its tile.</param>
    /// <param name="other">The same of the second.</param>
    /// <param name="layout">The tiles' columns.</param>
    /// <param name="q">[columns / 2] the input.</param>
    /// <param name="d">[columns / 32] its scales.</param>
    /// <param name="y">The first register's outputs, then the second's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        in TileCursor first, in TileCursor second, int lane, int other, TileLayout layout, int* q, float* d, float* y)
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
                for (var w = 0; w < segmentWords[s]; w += WordsAGroup, word += WordsAGroup, d++)
                {
                    var (a, b) = (T.Broadcast(0), T.Broadcast(0));
                    var ahead = TilePrefetch.From(layout, word, T.Lanes / 8);
                    for (var end = q + (2 * WordsAGroup); q < end; q += 4, u += 32, v += 32)
                    {
                        TilePrefetch.Two(u, ahead);
                        if (T.Lanes == 16) TilePrefetch.Two(v, ahead);
                        Add(ref a, u, q);
                        Add(ref b, v, q);
                        Add(ref a, u + 16, q + 2);
                        Add(ref b, v + 16, q + 2);
                    }
                    var scale = T.Broadcast(*d);
                    (sum, otherSum) = (T.Fma(T.PairSumToFloat(a), scale, sum), T.Fma(T.PairSumToFloat(b), scale, otherSum));
                }
                var unit = T.Broadcast(TFormat.PairUnit);
                total = T.Fma(sum * unit, first.Scale<T>(s, lane), total);
                otherTotal = T.Fma(otherSum * unit, second.Scale<T>(s, other), otherTotal);
            }
        }
        T.Store(total, y);
        T.Store(otherTotal, y + T.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ref T sum, float* words, int* q)
    {
        TFormat.Pairs(T.Load(words), out var early, out var late);
        sum = T.AddPairProducts(T.AddPairProducts(sum, early, T.BroadcastBits(q[0])), late, T.BroadcastBits(q[1]));
    }
}
