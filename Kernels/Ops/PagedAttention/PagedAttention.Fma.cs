using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>
    /// y[r, 16 · c + lane] += Σ over k ascending of x[r, k] · B[c][k, lane], for 1, 2, 4 or 6 rows r and 1, 2 or 4 columns c, all sums in registers.
    /// Scores and weighted sums of values are both of this form: x is queries or probabilities, a column sixteen keys by dimension or sixteen
    /// dimensions by token. Every sum runs over k alone, so rows and columns may be cut at will.
    /// </summary>
    /// <param name="x">Row 0's first factor; the others lie as <typeparamref name="TLeft"/> says.</param>
    /// <param name="from">The columns; rows that are not there are not read.</param>
    /// <param name="ahead">What follows the columns: asked for as they are read, a line for a line.</param>
    /// <param name="stride">Bytes from one k of a column to the next.</param>
    /// <param name="count">Number of k.</param>
    /// <param name="y">Sums.</param>
    /// <param name="yStride">Floats from one row of sums to the next.</param>
    private static unsafe void Fma<T, TCached, TRows, TColumns, TLeft, TAhead>(
        float* x, in Columns from, in Columns ahead, nint stride, int count, float* y, nint yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached where TRows : ICount where TColumns : ICount
        where TLeft : ILeft where TAhead : IAhead
    {
        // What is no row or column here is never used, and takes no register.
        byte* one = from.One, two = from.Two, three = from.Three, four = from.Four;
        byte* next = ahead.One, second = ahead.Two, third = ahead.Three, fourth = ahead.Four;
        var row = TLeft.Row(TRows.Value);
        var to0 = y;
        var to1 = y + yStride;
        var to2 = y + (2 * yStride);
        var to3 = y + (3 * yStride);
        var to4 = y + (4 * yStride);
        var to5 = y + (5 * yStride);
        var a0 = T.Load(to0);
        var b0 = TColumns.Value > 1 ? T.Load(to0 + 16) : default;
        var c0 = TColumns.Value > 2 ? T.Load(to0 + 32) : default;
        var d0 = TColumns.Value > 2 ? T.Load(to0 + 48) : default;
        var a1 = TRows.Value > 1 ? T.Load(to1) : default;
        var b1 = TRows.Value > 1 && TColumns.Value > 1 ? T.Load(to1 + 16) : default;
        var c1 = TRows.Value > 1 && TColumns.Value > 2 ? T.Load(to1 + 32) : default;
        var d1 = TRows.Value > 1 && TColumns.Value > 2 ? T.Load(to1 + 48) : default;
        var a2 = TRows.Value > 2 ? T.Load(to2) : default;
        var b2 = TRows.Value > 2 && TColumns.Value > 1 ? T.Load(to2 + 16) : default;
        var c2 = TRows.Value > 2 && TColumns.Value > 2 ? T.Load(to2 + 32) : default;
        var d2 = TRows.Value > 2 && TColumns.Value > 2 ? T.Load(to2 + 48) : default;
        var a3 = TRows.Value > 2 ? T.Load(to3) : default;
        var b3 = TRows.Value > 2 && TColumns.Value > 1 ? T.Load(to3 + 16) : default;
        var c3 = TRows.Value > 2 && TColumns.Value > 2 ? T.Load(to3 + 32) : default;
        var d3 = TRows.Value > 2 && TColumns.Value > 2 ? T.Load(to3 + 48) : default;
        var a4 = TRows.Value > 4 ? T.Load(to4) : default;
        var b4 = TRows.Value > 4 && TColumns.Value > 1 ? T.Load(to4 + 16) : default;
        var c4 = TRows.Value > 4 && TColumns.Value > 2 ? T.Load(to4 + 32) : default;
        var d4 = TRows.Value > 4 && TColumns.Value > 2 ? T.Load(to4 + 48) : default;
        var a5 = TRows.Value > 4 ? T.Load(to5) : default;
        var b5 = TRows.Value > 4 && TColumns.Value > 1 ? T.Load(to5 + 16) : default;
        var c5 = TRows.Value > 4 && TColumns.Value > 2 ? T.Load(to5 + 32) : default;
        var d5 = TRows.Value > 4 && TColumns.Value > 2 ? T.Load(to5 + 48) : default;
        var end = count * stride;
        for (nint at = 0; at < end; at += stride)
        {
            if (TAhead.Asks && Sse.IsSupported)
            {
                Sse.Prefetch0(next + at);
                if (TColumns.Value > 1) Sse.Prefetch0(second + at);
                if (TColumns.Value > 2) Sse.Prefetch0(third + at);
                if (TColumns.Value > 2) Sse.Prefetch0(fourth + at);
            }
            var a = TCached.Load<T>(one + at);
            var b = TColumns.Value > 1 ? TCached.Load<T>(two + at) : default;
            var c = TColumns.Value > 2 ? TCached.Load<T>(three + at) : default;
            var d = TColumns.Value > 2 ? TCached.Load<T>(four + at) : default;
            var left0 = T.Broadcast(*x);
            a0 = T.Fma(left0, a, a0);
            if (TColumns.Value > 1) b0 = T.Fma(left0, b, b0);
            if (TColumns.Value > 2) c0 = T.Fma(left0, c, c0);
            if (TColumns.Value > 2) d0 = T.Fma(left0, d, d0);
            if (TRows.Value > 1)
            {
                var left1 = T.Broadcast(x[row]);
                a1 = T.Fma(left1, a, a1);
                if (TColumns.Value > 1) b1 = T.Fma(left1, b, b1);
                if (TColumns.Value > 2) c1 = T.Fma(left1, c, c1);
                if (TColumns.Value > 2) d1 = T.Fma(left1, d, d1);
            }
            if (TRows.Value > 2)
            {
                var left2 = T.Broadcast(x[2 * row]);
                a2 = T.Fma(left2, a, a2);
                if (TColumns.Value > 1) b2 = T.Fma(left2, b, b2);
                if (TColumns.Value > 2) c2 = T.Fma(left2, c, c2);
                if (TColumns.Value > 2) d2 = T.Fma(left2, d, d2);
            }
            if (TRows.Value > 2)
            {
                var left3 = T.Broadcast(x[3 * row]);
                a3 = T.Fma(left3, a, a3);
                if (TColumns.Value > 1) b3 = T.Fma(left3, b, b3);
                if (TColumns.Value > 2) c3 = T.Fma(left3, c, c3);
                if (TColumns.Value > 2) d3 = T.Fma(left3, d, d3);
            }
            if (TRows.Value > 4)
            {
                var left4 = T.Broadcast(x[4 * row]);
                a4 = T.Fma(left4, a, a4);
                if (TColumns.Value > 1) b4 = T.Fma(left4, b, b4);
                if (TColumns.Value > 2) c4 = T.Fma(left4, c, c4);
                if (TColumns.Value > 2) d4 = T.Fma(left4, d, d4);
            }
            if (TRows.Value > 4)
            {
                var left5 = T.Broadcast(x[5 * row]);
                a5 = T.Fma(left5, a, a5);
                if (TColumns.Value > 1) b5 = T.Fma(left5, b, b5);
                if (TColumns.Value > 2) c5 = T.Fma(left5, c, c5);
                if (TColumns.Value > 2) d5 = T.Fma(left5, d, d5);
            }
            x += TLeft.Step(TRows.Value);
        }
        T.Store(a0, to0);
        if (TColumns.Value > 1) T.Store(b0, to0 + 16);
        if (TColumns.Value > 2) T.Store(c0, to0 + 32);
        if (TColumns.Value > 2) T.Store(d0, to0 + 48);
        if (TRows.Value > 1)
        {
            T.Store(a1, to1);
            if (TColumns.Value > 1) T.Store(b1, to1 + 16);
            if (TColumns.Value > 2) T.Store(c1, to1 + 32);
            if (TColumns.Value > 2) T.Store(d1, to1 + 48);
        }
        if (TRows.Value > 2)
        {
            T.Store(a2, to2);
            if (TColumns.Value > 1) T.Store(b2, to2 + 16);
            if (TColumns.Value > 2) T.Store(c2, to2 + 32);
            if (TColumns.Value > 2) T.Store(d2, to2 + 48);
        }
        if (TRows.Value > 2)
        {
            T.Store(a3, to3);
            if (TColumns.Value > 1) T.Store(b3, to3 + 16);
            if (TColumns.Value > 2) T.Store(c3, to3 + 32);
            if (TColumns.Value > 2) T.Store(d3, to3 + 48);
        }
        if (TRows.Value > 4)
        {
            T.Store(a4, to4);
            if (TColumns.Value > 1) T.Store(b4, to4 + 16);
            if (TColumns.Value > 2) T.Store(c4, to4 + 32);
            if (TColumns.Value > 2) T.Store(d4, to4 + 48);
        }
        if (TRows.Value > 4)
        {
            T.Store(a5, to5);
            if (TColumns.Value > 1) T.Store(b5, to5 + 16);
            if (TColumns.Value > 2) T.Store(c5, to5 + 32);
            if (TColumns.Value > 2) T.Store(d5, to5 + 48);
        }
    }
}
