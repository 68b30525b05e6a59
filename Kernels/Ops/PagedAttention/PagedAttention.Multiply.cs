using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>How sixteen elements of the cache become float32.</summary>
    private unsafe interface ICached
    {
        static abstract int Bytes { get; }

        static abstract T Load<T>(byte* from) where T : unmanaged, IVector16<T>;
    }

    private readonly unsafe struct Float32 : ICached
    {
        public static int Bytes => sizeof(float);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.Load((float*)from);
    }

    private readonly unsafe struct BFloat : ICached
    {
        public static int Bytes => sizeof(ushort);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.LoadBFloat16((ushort*)from);
    }

    private interface ICount
    {
        static abstract int Value { get; }
    }

    private readonly struct One : ICount
    {
        public static int Value => 1;
    }

    private readonly struct Two : ICount
    {
        public static int Value => 2;
    }

    private readonly struct Four : ICount
    {
        public static int Value => 4;
    }

    /// <summary>
    /// y[r, lane] += Σ over k ascending of x[r, k] · B[k, lane], for any number of rows r. Scores and weighted sums of values are both of this form:
    /// x is queries or probabilities, B sixteen keys by dimension or sixteen dimensions by token. Every sum runs over k alone, so strips may be cut
    /// at will.
    /// </summary>
    private static unsafe void Multiply<T, TCached>(float* x, long xStride, byte* b, long bStride, int count, float* y, long yStride, int rows)
        where T : unmanaged, IVector16<T> where TCached : ICached
    {
        for (; rows >= 4; rows -= 4)
        {
            Fma<T, TCached, Four>(x, xStride, b, bStride, count, y, yStride);
            x += 4 * xStride;
            y += 4 * yStride;
        }
        if (rows >= 2)
        {
            Fma<T, TCached, Two>(x, xStride, b, bStride, count, y, yStride);
            x += 2 * xStride;
            y += 2 * yStride;
        }
        if (rows % 2 == 1) Fma<T, TCached, One>(x, xStride, b, bStride, count, y, yStride);
    }

    private static unsafe void Fma<T, TCached, TRows>(float* x, long xStride, byte* b, long bStride, int count, float* y, long yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached where TRows : ICount
    {
        var x1 = x + xStride;
        var x2 = x1 + xStride;
        var x3 = x2 + xStride;
        var y0 = T.Load(y);
        var y1 = TRows.Value > 1 ? T.Load(y + yStride) : y0;
        var y2 = TRows.Value > 2 ? T.Load(y + (2 * yStride)) : y0;
        var y3 = TRows.Value > 2 ? T.Load(y + (3 * yStride)) : y0;
        bStride *= TCached.Bytes;
        for (nint k = 0; k < count; k++)
        {
            var lanes = TCached.Load<T>(b);
            y0 = T.Fma(T.Broadcast(x[k]), lanes, y0);
            if (TRows.Value > 1) y1 = T.Fma(T.Broadcast(x1[k]), lanes, y1);
            if (TRows.Value > 2)
            {
                y2 = T.Fma(T.Broadcast(x2[k]), lanes, y2);
                y3 = T.Fma(T.Broadcast(x3[k]), lanes, y3);
            }
            b += bStride;
        }
        T.Store(y0, y);
        if (TRows.Value > 1) T.Store(y1, y + yStride);
        if (TRows.Value > 2)
        {
            T.Store(y2, y + (2 * yStride));
            T.Store(y3, y + (3 * yStride));
        }
    }
}
