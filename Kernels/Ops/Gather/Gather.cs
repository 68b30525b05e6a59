using System.Diagnostics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>y[i] = x[rows[i]].</summary>
internal static partial class GatherOp
{
    /// <summary>x is [any, columns], <paramref name="into"/> [rows, columns]; they must not overlap.</summary>
    public static unsafe void Gather(this OpStream ops, Matrix x, Ints rows, Matrix into)
    {
        Debug.Assert(into.Rows == rows.Length && into.Columns == x.Columns, "gather: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, x, rows, into);
            return;
        }
        using var watch = ops.Watch(StepPart.Gather);
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(x, rows.Host, into);
            return;
        }
        fixed (int* first = rows.Host)
        {
            var job = new Job(x, first, into);
            ops.Deal(job.Items, into.Values.Length, ref job);
        }
    }

    private readonly unsafe struct Job(Matrix x, int* rows, Matrix into) : IJob
    {
        private readonly int step = Dealing.RowsAnItem(x.Columns);

        public int Items => (into.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var end = Math.Min(into.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++) x.Row(rows[row]).CopyTo(into.Row(row));
        }
    }
}
