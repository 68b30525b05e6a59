using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

// The norm of rows that lie on several devices, some columns on each: every device sums its own squares, the sums are added up between the devices,
// and every device then scales its own columns by the root of the whole.
internal static partial class RmsNormOp
{
    /// <summary>
    /// into[t, 0] = Σ over c of q[t, c]², into[t, 1] the same of k, or 0 where another device has the same keys and counts them.
    /// </summary>
    /// <param name="ops">Where.</param>
    /// <param name="q">[tokens, columns of this device].</param>
    /// <param name="k">[tokens, columns of this device].</param>
    /// <param name="countsKeys">Whether k's squares are counted here.</param>
    /// <param name="into">[tokens, 2].</param>
    public static void Squares(this OpStream ops, Matrix q, Matrix k, bool countsKeys, Matrix into)
    {
        Debug.Assert(q.Rows == k.Rows && into.Rows == q.Rows && into.Columns == 2, "squares: shapes differ");
        if (ops.Gpu is not null)
        {
            SquaresOnGpu(ops.Gpu, q, k, countsKeys, into);
            return;
        }
        using var watch = ops.Watch(StepPart.Norm);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Squares<Vector16x1>(ops, q, k, countsKeys, into); break;
            case Isa.Avx2 or Isa.AvxVnni: Squares<Vector16x2>(ops, q, k, countsKeys, into); break;
            case Isa.Neon: Squares<Vector16x4>(ops, q, k, countsKeys, into); break;
            default: SquaresReference(q, k, countsKeys, into); break;
        }
    }

    /// <summary>
    /// x[t, c] = (x[t, c] · r[t]) · gain[c],  r[t] = 1 / √(squares[t, column] / width + ε): what <see cref="RmsNorm"/> makes of these columns in
    /// rows of <paramref name="width"/> columns.
    /// </summary>
    /// <param name="ops">Where.</param>
    /// <param name="x">[tokens, columns of this device], changed.</param>
    /// <param name="squares">[tokens, 2] sums over all devices.</param>
    /// <param name="column">Which of the two.</param>
    /// <param name="width">Columns of all devices together.</param>
    /// <param name="gain">float32 [columns of this device].</param>
    /// <param name="epsilon">Of the norm.</param>
    public static void RmsNormBy(this OpStream ops, Matrix x, Matrix squares, int column, int width, NativeBuffer gain, float epsilon)
    {
        Debug.Assert(x.Rows == squares.Rows && squares.Columns == 2, "norm by squares: shapes differ");
        Debug.Assert(gain.Bytes >= (long)x.Columns * sizeof(float), "norm by squares: the gain is shorter than a row");
        if (ops.Gpu is not null)
        {
            NormByOnGpu(ops.Gpu, x, squares, column, width, gain, epsilon);
            return;
        }
        using var watch = ops.Watch(StepPart.Norm);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: NormBy<Vector16x1>(ops, x, squares, column, width, gain, epsilon); break;
            case Isa.Avx2 or Isa.AvxVnni: NormBy<Vector16x2>(ops, x, squares, column, width, gain, epsilon); break;
            case Isa.Neon: NormBy<Vector16x4>(ops, x, squares, column, width, gain, epsilon); break;
            default: NormByReference(x, squares, column, width, gain, epsilon); break;
        }
    }

    /// <summary>The definition, with sums in double.</summary>
    internal static void SquaresReference(Matrix q, Matrix k, bool countsKeys, Matrix into)
    {
        for (var t = 0; t < q.Rows; t++)
        {
            var (ofQ, ofK) = (0.0, 0.0);
            foreach (var value in q.Row(t)) ofQ += (double)value * value;
            foreach (var value in k.Row(t)) ofK += (double)value * value;
            (into.Row(t)[0], into.Row(t)[1]) = ((float)ofQ, countsKeys ? (float)ofK : 0);
        }
    }

    /// <summary>The definition, in double.</summary>
    internal static void NormByReference(Matrix x, Matrix squares, int column, int width, NativeBuffer gain, float epsilon)
    {
        var w = gain.Span<float>(0, x.Columns);
        for (var t = 0; t < x.Rows; t++)
        {
            var r = 1 / Math.Sqrt((squares.Row(t)[column] / (double)width) + epsilon);
            var row = x.Row(t);
            for (var c = 0; c < row.Length; c++) row[c] = (float)(row[c] * r * w[c]);
        }
    }

    private static void Squares<T>(OpStream ops, Matrix q, Matrix k, bool countsKeys, Matrix into) where T : unmanaged, IVector16<T>
    {
        var job = new SquaresJob<T>(q, k, countsKeys, into);
        ops.Deal(job.Items, (long)q.Rows * (q.Columns + k.Columns), ref job);
    }

    private static unsafe void NormBy<T>(OpStream ops, Matrix x, Matrix squares, int column, int width, NativeBuffer gain, float epsilon)
        where T : unmanaged, IVector16<T>
    {
        var job = new NormByJob<T>(x, squares, column, width, (float*)gain.Data, epsilon);
        ops.Deal(job.Items, (long)x.Rows * x.Columns, ref job);
    }

    private readonly unsafe struct SquaresJob<T>(Matrix q, Matrix k, bool countsKeys, Matrix into) : IJob where T : unmanaged, IVector16<T>
    {
        private readonly int step = Dealing.RowsAnItem(q.Columns + k.Columns);

        public int Items => (q.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var end = Math.Min(q.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++)
            {
                var to = into.RowData(row);
                to[0] = SumOfSquares<T>(q.RowData(row), q.Columns);
                to[1] = countsKeys ? SumOfSquares<T>(k.RowData(row), k.Columns) : 0;
            }
        }
    }

    private readonly unsafe struct NormByJob<T>(Matrix x, Matrix squares, int column, int width, float* gain, float epsilon) : IJob
        where T : unmanaged, IVector16<T>
    {
        private readonly int step = Dealing.RowsAnItem(x.Columns);

        public int Items => (x.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var end = Math.Min(x.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++)
            {
                var values = x.RowData(row);
                var n = x.Columns;
                var scale = (float)(1 / Math.Sqrt((squares.RowData(row)[column] / (double)width) + epsilon));
                var r = T.Broadcast(scale);
                var c = 0;
                for (; c + 16 <= n; c += 16) T.Store((T.Load(values + c) * r) * T.Load(gain + c), values + c);
                for (; c < n; c++) values[c] = (values[c] * scale) * gain[c];
            }
        }
    }
}
