using System.Diagnostics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RopeOp
{
    /// <summary>
    /// Makes queries and keys of what a layer's products gave: norm, if there is a gain, then rotation, both in place. One launch on a GPU; elsewhere
    /// <see cref="RmsNormOp"/> and <see cref="Rope(OpStream, Matrix, int, int, RopeTable, Ints)"/>.
    /// </summary>
    /// <param name="ops">Where.</param>
    /// <param name="q">[tokens, query heads · headDim]</param>
    /// <param name="qGain">float32, one gain a value of a head (<paramref name="perHead"/>) or of all heads; null: no norm.</param>
    /// <param name="k">[tokens, key heads · headDim]</param>
    /// <param name="kGain">The same for keys.</param>
    /// <param name="headDim">Values in a head.</param>
    /// <param name="perHead">Whether each head has a norm of its own, or all heads of a token have one.</param>
    /// <param name="epsilon">Of the norms.</param>
    /// <param name="table">Angles.</param>
    /// <param name="positions">[tokens]</param>
    public static void NormRope(
        this OpStream ops, Matrix q, NativeBuffer? qGain, Matrix k, NativeBuffer? kGain, int headDim, bool perHead, float epsilon, RopeTable table,
            Ints positions)
    {
        Debug.Assert(q.Rows == k.Rows && q.Columns % headDim == 0 && k.Columns % headDim == 0, "norm and rope: shapes differ");
        if (ops.Gpu is not null)
        {
            foreach (var position in positions.Host) table.Reach(position);
            RunGpu(ops.Gpu, q, qGain, k, kGain, headDim, perHead, epsilon, table, positions);
            return;
        }
        One(ops, q, qGain, headDim, perHead, epsilon, table, positions);
        One(ops, k, kGain, headDim, perHead, epsilon, table, positions);
    }

    private static void One(OpStream ops, Matrix x, NativeBuffer? gain, int headDim, bool perHead, float epsilon, RopeTable table, Ints positions)
    {
        var heads = x.Columns / headDim;
        var rows = perHead ? x.Cut(heads) : x;
        if (gain is not null) ops.RmsNorm(rows, gain, epsilon, into: rows);
        ops.Rope(x, heads, headDim, table, positions);
    }
}
