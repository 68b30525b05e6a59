using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
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

    /// <summary>How the left factors of a block of rows lie, in floats.</summary>
    private interface ILeft
    {
        /// <summary>From one k to the next.</summary>
        static abstract int Step(int rows);

        /// <summary>From one row to the next.</summary>
        static abstract int Row(int rows);
    }

    /// <summary>[k, rows]: the queries of a block of rows, by dimension.</summary>
    private readonly struct ByStep : ILeft
    {
        public static int Step(int rows) => rows;

        public static int Row(int rows) => 1;
    }

    /// <summary>[rows, <see cref="ScoreStride"/>]: probabilities.</summary>
    private readonly struct ByRow : ILeft
    {
        public static int Step(int rows) => 1;

        public static int Row(int rows) => ScoreStride;
    }

    /// <summary>Whether what follows is asked for.</summary>
    private interface IAhead
    {
        static abstract bool Asks { get; }
    }

    private readonly struct Asking : IAhead
    {
        public static bool Asks => true;
    }

    private readonly struct Silent : IAhead
    {
        public static bool Asks => false;
    }

    /// <summary>Where up to four columns of sixteen lanes begin.</summary>
    private readonly unsafe struct Columns(byte* one, byte* two, byte* three, byte* four)
    {
        public readonly byte* One = one;
        public readonly byte* Two = two;
        public readonly byte* Three = three;
        public readonly byte* Four = four;
    }

    /// <summary>Rows of the next block when <paramref name="rows"/> are left: six load, and widen, what they multiply once.</summary>
    private static int BlockRows(int rows) => rows switch { 6 or 7 or >= 10 => 6, >= 4 => 4, >= 2 => 2, _ => 1 };

    /// <summary>Any number of rows and up to four columns (<paramref name="columns"/>); the first block of rows asks for what follows.</summary>
    private static unsafe void Multiply<T, TCached, TLeft>(
        float* x, int rows, in Columns from, in Columns ahead, int columns, nint stride, int count, float* y, nint yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached where TLeft : ILeft
    {
        Block<T, TCached, TLeft, Asking>(x, BlockRows(rows), from, ahead, columns, stride, count, y, yStride);
        for (var done = BlockRows(rows); done < rows;)
        {
            var block = BlockRows(rows - done);
            // [k, rows] blocks follow each other; so do rows of probabilities.
            var left = TLeft.Row(1) == 1 ? x + (done * (long)count) : x + (done * (long)TLeft.Row(1));
            Block<T, TCached, TLeft, Silent>(left, block, from, ahead, columns, stride, count, y + (done * yStride), yStride);
            done += block;
        }
    }

    private static unsafe void Block<T, TCached, TLeft, TAhead>(
        float* x, int rows, in Columns from, in Columns ahead, int columns, nint stride, int count, float* y, nint yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached where TLeft : ILeft where TAhead : IAhead
    {
        switch (rows)
        {
            case 6: Block<T, TCached, Six, TLeft, TAhead>(x, from, ahead, columns, stride, count, y, yStride); break;
            case 4: Block<T, TCached, Four, TLeft, TAhead>(x, from, ahead, columns, stride, count, y, yStride); break;
            case 2: Block<T, TCached, Two, TLeft, TAhead>(x, from, ahead, columns, stride, count, y, yStride); break;
            default: Block<T, TCached, One, TLeft, TAhead>(x, from, ahead, columns, stride, count, y, yStride); break;
        }
    }

    /// <summary>As many columns at a time as registers hold sums for: up to twenty-four of them, of sixteen on AVX2.</summary>
    private static unsafe void Block<T, TCached, TRows, TLeft, TAhead>(
        float* x, in Columns from, in Columns ahead, int columns, nint stride, int count, float* y, nint yStride)
        where T : unmanaged, IVector16<T> where TCached : ICached where TRows : ICount where TLeft : ILeft where TAhead : IAhead
    {
        if (columns == 4 && (T.Registers == 1 || TRows.Value == 1))
        {
            Fma<T, TCached, TRows, Four, TLeft, TAhead>(x, from, ahead, stride, count, y, yStride);
            return;
        }
        var (left, next) = (from, ahead);
        if (T.Registers == 1 || TRows.Value <= 2)
        {
            for (; columns >= 2; columns -= 2)
            {
                Fma<T, TCached, TRows, Two, TLeft, TAhead>(x, left, next, stride, count, y, yStride);
                (left, next) = (new(left.Three, left.Four, null, null), new(next.Three, next.Four, null, null));
                y += 32;
            }
        }
        for (; columns > 0; columns--)
        {
            Fma<T, TCached, TRows, One, TLeft, TAhead>(x, left, next, stride, count, y, yStride);
            (left, next) = (new(left.Two, left.Three, left.Four, null), new(next.Two, next.Three, next.Four, null));
            y += 16;
        }
    }
}
