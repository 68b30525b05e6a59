using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>How sixteen elements of the cache become float32.</summary>
    private unsafe interface ICached
    {
        static abstract int Bytes { get; }

        /// <summary>
        /// Elements come as 1 / <see cref="Factor"/>² of their numbers: what they are multiplied with, and the sum, take one factor each, exactly.
        /// </summary>
        static abstract float Factor { get; }

        /// <summary>Whether each row has a scale, as <see cref="Fp8Row"/> says.</summary>
        static abstract bool HasScales { get; }

        static abstract T Load<T>(byte* from) where T : unmanaged, IVector16<T>;
    }

    private readonly unsafe struct Float32 : ICached
    {
        public static int Bytes => sizeof(float);

        public static float Factor => 1;

        public static bool HasScales => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.Load((float*)from);
    }

    private readonly unsafe struct BFloat : ICached
    {
        public static int Bytes => sizeof(ushort);

        public static float Factor => 1;

        public static bool HasScales => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.LoadBFloat16((ushort*)from);
    }

    private readonly unsafe struct Float8 : ICached
    {
        public static int Bytes => 1;

        public static float Factor => 1L << 60;

        public static bool HasScales => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.LoadFloat8(from);
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

    private readonly struct Six : ICount
    {
        public static int Value => 6;
    }

    /// <summary>
    /// y[r, lane] += Σ over k ascending of x[r, k] · B[k, lane], for any number of rows r. Scores and weighted sums of values are both of this form:
    /// x is queries or probabilities, B sixteen keys by dimension or sixteen dimensions by token. Every sum runs over k alone, so strips may be cut
    /// at will.
    /// </summary>
    private static unsafe void Multiply<T, TCached>(float* x, long xStride, byte* b, long bStride, int count, float* y, long yStride, int rows)
        where T : unmanaged, IVector16<T> where TCached : ICached
    {
        // Six rows load, and widen, what they multiply once, and are as many sums as AVX2 has registers for.
        for (; rows is 6 or 7 or >= 10; rows -= 6)
        {
            Fma<T, TCached, Six>(x, xStride, b, bStride, count, y, yStride);
            x += 6 * xStride;
            y += 6 * yStride;
        }
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

    /// <summary>
    /// The same for two times sixteen lanes, of <paramref name="b"/> and of <paramref name="c"/>, whose sums stand one behind the other: twice the
    /// sums at work, for thirty-two registers.
    /// </summary>
    private static unsafe void MultiplyPair<T, TCached>(
        float* x, long xStride, byte* b, byte* c, long bStride, int count, float* y, long yStride, int rows)
        where T : unmanaged, IVector16<T> where TCached : ICached
    {
        for (; rows >= 6; rows -= 6)
        {
            FmaPair<T, TCached>(x, xStride, b, c, bStride, count, y, y + 16, yStride);
            x += 6 * xStride;
            y += 6 * yStride;
        }
        if (rows == 0) return;
        Multiply<T, TCached>(x, xStride, b, bStride, count, y, yStride, rows);
        Multiply<T, TCached>(x, xStride, c, bStride, count, y + 16, yStride, rows);
    }

    private static unsafe void FmaPair<T, TCached>(
        float* x, long xStride, byte* b, byte* c, long bStride, int count, float* y, float* z, long yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached
    {
        var x1 = x + xStride;
        var x2 = x1 + xStride;
        var x3 = x2 + xStride;
        var x4 = x3 + xStride;
        var x5 = x4 + xStride;
        var (y0, z0) = (T.Load(y), T.Load(z));
        var (y1, z1) = (T.Load(y + yStride), T.Load(z + yStride));
        var (y2, z2) = (T.Load(y + (2 * yStride)), T.Load(z + (2 * yStride)));
        var (y3, z3) = (T.Load(y + (3 * yStride)), T.Load(z + (3 * yStride)));
        var (y4, z4) = (T.Load(y + (4 * yStride)), T.Load(z + (4 * yStride)));
        var (y5, z5) = (T.Load(y + (5 * yStride)), T.Load(z + (5 * yStride)));
        bStride *= TCached.Bytes;
        for (nint k = 0; k < count; k++)
        {
            var (first, second) = (TCached.Load<T>(b), TCached.Load<T>(c));
            var each = T.Broadcast(x[k]);
            y0 = T.Fma(each, first, y0);
            z0 = T.Fma(each, second, z0);
            each = T.Broadcast(x1[k]);
            y1 = T.Fma(each, first, y1);
            z1 = T.Fma(each, second, z1);
            each = T.Broadcast(x2[k]);
            y2 = T.Fma(each, first, y2);
            z2 = T.Fma(each, second, z2);
            each = T.Broadcast(x3[k]);
            y3 = T.Fma(each, first, y3);
            z3 = T.Fma(each, second, z3);
            each = T.Broadcast(x4[k]);
            y4 = T.Fma(each, first, y4);
            z4 = T.Fma(each, second, z4);
            each = T.Broadcast(x5[k]);
            y5 = T.Fma(each, first, y5);
            z5 = T.Fma(each, second, z5);
            b += bStride;
            c += bStride;
        }
        T.Store(y0, y);
        T.Store(z0, z);
        T.Store(y1, y + yStride);
        T.Store(z1, z + yStride);
        T.Store(y2, y + (2 * yStride));
        T.Store(z2, z + (2 * yStride));
        T.Store(y3, y + (3 * yStride));
        T.Store(z3, z + (3 * yStride));
        T.Store(y4, y + (4 * yStride));
        T.Store(z4, z + (4 * yStride));
        T.Store(y5, y + (5 * yStride));
        T.Store(z5, z + (5 * yStride));
    }

    private static unsafe void Fma<T, TCached, TRows>(float* x, long xStride, byte* b, long bStride, int count, float* y, long yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached where TRows : ICount
    {
        var x1 = x + xStride;
        var x2 = x1 + xStride;
        var x3 = x2 + xStride;
        var x4 = x3 + xStride;
        var x5 = x4 + xStride;
        var y0 = T.Load(y);
        var y1 = TRows.Value > 1 ? T.Load(y + yStride) : y0;
        var y2 = TRows.Value > 2 ? T.Load(y + (2 * yStride)) : y0;
        var y3 = TRows.Value > 2 ? T.Load(y + (3 * yStride)) : y0;
        var y4 = TRows.Value > 4 ? T.Load(y + (4 * yStride)) : y0;
        var y5 = TRows.Value > 4 ? T.Load(y + (5 * yStride)) : y0;
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
            if (TRows.Value > 4)
            {
                y4 = T.Fma(T.Broadcast(x4[k]), lanes, y4);
                y5 = T.Fma(T.Broadcast(x5[k]), lanes, y5);
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
        if (TRows.Value > 4)
        {
            T.Store(y4, y + (4 * yStride));
            T.Store(y5, y + (5 * yStride));
        }
    }
}
