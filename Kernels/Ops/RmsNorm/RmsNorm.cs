using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>y[t, c] = (x[t, c] · r[t]) · gain[c],  r[t] = 1 / √(mean over c of x[t, c]² + ε).</summary>
internal static partial class RmsNormOp
{
    /// <summary>
    /// x and <paramref name="into"/> are [tokens, columns] and may be the same; <paramref name="gain"/> is float32 [columns]. The norm of queries and
    /// keys over all their heads is this one too: the columns are then all heads together.
    /// </summary>
    public static void RmsNorm(this OpStream ops, Matrix x, NativeBuffer gain, float epsilon, Matrix into)
    {
        Debug.Assert(x.Rows == into.Rows && x.Columns == into.Columns, "norm: shapes differ");
        Debug.Assert(gain.Bytes >= (long)x.Columns * sizeof(float), "norm: the gain is shorter than a row");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, x, gain, epsilon, into);
            return;
        }
        using var watch = ops.Watch(StepPart.Norm);
        if (ops.Device.Isa == Isa.Reference) Reference(x, gain, epsilon, into);
        else Run(ops, update: null, x, gain, epsilon, into);
    }

    /// <summary>
    /// x += update, then <paramref name="into"/> = norm of x: where one part of a layer ends and the next begins. All are [tokens, columns]. One
    /// launch on a GPU, where a launch costs as much as what it does for a single token, and one job elsewhere; the same bits as <see cref="AddOp"/>
    /// and this operation.
    /// </summary>
    public static void AddRmsNorm(this OpStream ops, Matrix update, Matrix x, NativeBuffer gain, float epsilon, Matrix into)
    {
        Debug.Assert(x.Rows == update.Rows && x.Columns == update.Columns && x.Rows == into.Rows
            && x.Columns == into.Columns, "add and norm: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, update, x, gain, epsilon, into);
            return;
        }
        if (ops.Device.Isa != Isa.Reference)
        {
            using var watch = ops.Watch(StepPart.Norm);
            Run(ops, update, x, gain, epsilon, into);
            return;
        }
        ops.Add(update, into: x);
        ops.RmsNorm(x, gain, epsilon, into);
    }

    private static void Run(OpStream ops, Matrix? update, Matrix x, NativeBuffer gain, float epsilon, Matrix into)
    {
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, update, x, gain, epsilon, into); break;
            case Isa.Avx2 or Isa.AvxVnni: Run<Vector16x2>(ops, update, x, gain, epsilon, into); break;
            default: Run<Vector16x4>(ops, update, x, gain, epsilon, into); break;
        }
    }

    private static unsafe void Run<T>(OpStream ops, Matrix? update, Matrix x, NativeBuffer gain, float epsilon, Matrix into)
        where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(update, x, (float*)gain.Data, epsilon, into);
        ops.Deal(job.Items, (update is null ? 2L : 3L) * x.Rows * x.Columns, ref job);
    }

    private readonly unsafe struct Job<T>(Matrix? update, Matrix x, float* gain, float epsilon, Matrix into) : IJob
        where T : unmanaged, IVector16<T>
    {
        private readonly int step = Dealing.RowsAnItem(x.Columns);

        public int Items => (x.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var end = Math.Min(x.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++)
            {
                if (update is { } added) Elementwise<AddOp>.Row<T>(added.RowData(row), x.RowData(row), x.RowData(row), x.Columns);
                One(x.RowData(row), into.RowData(row));
            }
        }

        private void One(float* from, float* to)
        {
            var n = x.Columns;
            var scale = (float)(1 / Math.Sqrt((SumOfSquares<T>(from, n) / (double)n) + epsilon));
            var r = T.Broadcast(scale);
            var c = 0;
            for (; c + 16 <= n; c += 16) T.Store((T.Load(from + c) * r) * T.Load(gain + c), to + c);
            for (; c < n; c++) to[c] = (from[c] * scale) * gain[c];
        }
    }

    // Four times sixteen lanes, then the rest: an order that depends on the length of the row alone.
    private static unsafe float SumOfSquares<T>(float* from, int n) where T : unmanaged, IVector16<T>
    {
        var (s0, s1, s2, s3) = (T.Broadcast(0), T.Broadcast(0), T.Broadcast(0), T.Broadcast(0));
        var c = 0;
        for (; c + 64 <= n; c += 64)
        {
            var (v0, v1, v2, v3) = (T.Load(from + c), T.Load(from + c + 16), T.Load(from + c + 32), T.Load(from + c + 48));
            s0 = T.Fma(v0, v0, s0);
            s1 = T.Fma(v1, v1, s1);
            s2 = T.Fma(v2, v2, s2);
            s3 = T.Fma(v3, v3, s3);
        }
        for (; c < n; c += 16)
        {
            var v = n - c >= 16 ? T.Load(from + c) : VectorMath.LoadFirst<T>(from + c, n - c);
            s0 = T.Fma(v, v, s0);
        }
        return T.Sum((s0 + s1) + (s2 + s3));
    }
}
