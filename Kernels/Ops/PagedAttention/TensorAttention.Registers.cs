using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

internal static partial class TensorAttention
{
    /// <summary>Width of a head.</summary>
    internal interface IDims
    {
        /// <summary>64 dimensions each.</summary>
        static abstract int Halves { get; }
    }

    /// <summary>How sixteen keys lie.</summary>
    internal interface IBlocks
    {
        /// <summary>Whether each sixteen of a sequence lie in one block of the cache, one after another.</summary>
        static abstract bool Aligned { get; }
    }

    internal readonly struct Dims64 : IDims
    {
        public static int Halves => 1;
    }

    internal readonly struct Dims128 : IDims
    {
        public static int Halves => 2;
    }

    internal readonly struct AlignedBlocks : IBlocks
    {
        public static bool Aligned => true;
    }

    internal readonly struct AnyBlocks : IBlocks
    {
        public static bool Aligned => false;
    }

    /// <summary>32 dimensions of sixteen queries: the left operands of two mma instructions.</summary>
    private struct Query32
    {
        public Words4 First;
        public Words4 Second;
    }

    /// <summary>Sixteen queries, by 32 dimensions.</summary>
    private struct QueryPlane
    {
        public Query32 A;
        public Query32 B;
        public Query32 C;
        public Query32 D;
    }

    /// <summary>Sixteen queries rounded to bfloat16, and what rounding took.</summary>
    private struct Queries
    {
        public QueryPlane High;
        public QueryPlane Rest;
    }

    /// <summary>A lane's part of eight keys, by 32 dimensions.</summary>
    private struct Keys8
    {
        public Words4 A;
        public Words4 B;
        public Words4 C;
        public Words4 D;
    }

    private struct Keys16
    {
        public Keys8 Low;
        public Keys8 High;
    }

    /// <summary>A lane's part of sixteen values, 64 dimensions: those of keys 2t, 2t + 1, 2t + 8 and 2t + 9.</summary>
    private struct Values64
    {
        public Words4 A;
        public Words4 B;
        public Words4 C;
        public Words4 D;
    }

    private struct Values16
    {
        public Values64 First;
        public Values64 Second;
    }

    /// <summary>Scores of sixteen queries with eight and eight keys.</summary>
    private struct Scores
    {
        public Acc4 Low;
        public Acc4 High;
    }

    /// <summary>Sums over values, 64 dimensions: column c of field j is dimension 8c + j.</summary>
    private struct Sums64
    {
        public Acc4 A;
        public Acc4 B;
        public Acc4 C;
        public Acc4 D;
        public Acc4 E;
        public Acc4 F;
        public Acc4 G;
        public Acc4 H;
    }

    /// <summary>
    /// What a warp has of its sixteen rows so far. A lane's rows are g (fields that end with A) and g + 8 (B). The largest score is the row's, the
    /// total the lane's share.
    /// </summary>
    private struct State
    {
        public Sums64 First;
        public Sums64 Second;
        public float LargestA;
        public float LargestB;
        public float TotalA;
        public float TotalB;
    }

    /// <summary>The lane's two rows, as token · heads + head; −1 for a row that is none, which is not stored.</summary>
    private struct Rows
    {
        public int IndexA;
        public int IndexB;

        /// <summary>First and last token of the warp's rows; none if the first comes after the last.</summary>
        public int First;
        public int Last;
    }

    /// <summary>A sequence's keys that a warp's rows see, as positions.</summary>
    private struct Reach
    {
        /// <summary>Where its blocks begin in the tables.</summary>
        public int Table;

        /// <summary>First and last position that any row sees.</summary>
        public int From;
        public int To;

        /// <summary>Last position that all rows see.</summary>
        public int AllTo;

        /// <summary>Last position that each of the lane's rows sees.</summary>
        public int ToA;
        public int ToB;
    }
}
