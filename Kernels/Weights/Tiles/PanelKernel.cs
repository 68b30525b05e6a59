using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// The inner sums (micro-kernel) of a GEMM in float32: two registers of outputs by six input rows, twelve chains that hide each
/// other's latency and leave AVX2 three registers for what they multiply; or by four. The chains are those of <see cref="TileKernel{T, TFormat}"/>.
/// </summary>
internal static unsafe class PanelKernel<T, TWidth>
    where T : unmanaged, IRegister<T>
    where TWidth : struct, IPanelWidth
{
    /// <summary>
    /// Goes through some codes of one segment: chains begin at zero or at <paramref name="sums"/>, and end there or, where the segment ends, times
    /// its scale in <paramref name="y"/>.
    /// </summary>
    /// <param name="first">[codes, 16] weights as floats, at the first register's rows.</param>
    /// <param name="second">The same at the second register's.</param>
    /// <param name="x">[codes, rows] inputs.</param>
    /// <param name="codes">How many.</param>
    /// <param name="ends">Where the codes lie in their segment, and its scales.</param>
    /// <param name="sums">[rows] chains, <see cref="TileMatMul.SumStride"/> apart, at the first register's outputs.</param>
    /// <param name="y">[rows] outputs, in the same way.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* first, float* second, float* x, int codes, in SegmentEnds<T> ends, float* sums, float* y)
    {
        const int Row = TileMatMul.SumStride;
        var apart = T.Lanes;
        var (a0, a1, a2, a3, a4, a5) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
        var (b0, b1, b2, b3, b4, b5) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
        if (!ends.Begins)
        {
            (a0, a1, a2, a3) = (T.Load(sums), T.Load(sums + Row), T.Load(sums + (2 * Row)), T.Load(sums + (3 * Row)));
            (b0, b1) = (T.Load(sums + apart), T.Load(sums + Row + apart));
            (b2, b3) = (T.Load(sums + (2 * Row) + apart), T.Load(sums + (3 * Row) + apart));
            if (TWidth.Rows == 6)
            {
                (a4, a5) = (T.Load(sums + (4 * Row)), T.Load(sums + (5 * Row)));
                (b4, b5) = (T.Load(sums + (4 * Row) + apart), T.Load(sums + (5 * Row) + apart));
            }
        }
        for (var end = x + (codes * TWidth.Rows); x < end; x += TWidth.Rows, first += 16, second += 16)
        {
            var (u, v) = (T.Load(first), T.Load(second));
            var x0 = T.Broadcast(x[0]);
            a0 = T.Fma(u, x0, a0);
            b0 = T.Fma(v, x0, b0);
            var x1 = T.Broadcast(x[1]);
            a1 = T.Fma(u, x1, a1);
            b1 = T.Fma(v, x1, b1);
            var x2 = T.Broadcast(x[2]);
            a2 = T.Fma(u, x2, a2);
            b2 = T.Fma(v, x2, b2);
            var x3 = T.Broadcast(x[3]);
            a3 = T.Fma(u, x3, a3);
            b3 = T.Fma(v, x3, b3);
            if (TWidth.Rows == 4) continue;
            var x4 = T.Broadcast(x[4]);
            a4 = T.Fma(u, x4, a4);
            b4 = T.Fma(v, x4, b4);
            var x5 = T.Broadcast(x[5]);
            a5 = T.Fma(u, x5, a5);
            b5 = T.Fma(v, x5, b5);
        }
        Put(a0, b0, ends, sums, y);
        Put(a1, b1, ends, sums + Row, y + Row);
        Put(a2, b2, ends, sums + (2 * Row), y + (2 * Row));
        Put(a3, b3, ends, sums + (3 * Row), y + (3 * Row));
        if (TWidth.Rows == 4) return;
        Put(a4, b4, ends, sums + (4 * Row), y + (4 * Row));
        Put(a5, b5, ends, sums + (5 * Row), y + (5 * Row));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T a, T b, in SegmentEnds<T> ends, float* sums, float* y)
    {
        if (!ends.Ends)
        {
            T.Store(a, sums);
            T.Store(b, sums + T.Lanes);
            return;
        }
        T.Store(T.Fma(a * ends.Half, ends.First, T.Load(y)), y);
        T.Store(T.Fma(b * ends.Half, ends.Second, T.Load(y + T.Lanes)), y + T.Lanes);
    }
}

/// <summary>Where some codes lie in their segment.</summary>
/// <param name="begins">The segment begins with them.</param>
/// <param name="ends">It ends with them.</param>
/// <param name="first">Its scales for the first register's rows.</param>
/// <param name="second">For the second's.</param>
/// <param name="half">What sums are multiplied with before.</param>
internal readonly struct SegmentEnds<T>(bool begins, bool ends, T first, T second, T half) where T : unmanaged
{
    public readonly T First = first;
    public readonly T Second = second;
    public readonly T Half = half;
    public readonly bool Begins = begins;
    public readonly bool Ends = ends;
}

/// <summary>How many rows of the input a panel has.</summary>
internal interface IPanelWidth
{
    /// <summary>4 or 6.</summary>
    static abstract int Rows { get; }
}

/// <summary>The usual panel.</summary>
internal readonly struct SixRows : IPanelWidth
{
    public static int Rows => 6;
}

/// <summary>Where six would be mostly padding.</summary>
internal readonly struct FourRows : IPanelWidth
{
    public static int Rows => 4;
}
