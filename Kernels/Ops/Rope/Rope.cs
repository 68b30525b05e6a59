using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Rotates the first rotaryDim dimensions u of each head in halves (NeoX): for i below half = rotaryDim / 2, θ = position · frequency[i],
/// u[i] ← u[i] · cos θ − u[i + half] · sin θ and u[i + half] ← u[i + half] · cos θ + u[i] · sin θ, both times the table's magnitude. The other
/// dimensions stay.
/// </summary>
internal static partial class RopeOp
{
    /// <summary>
    /// Makes sure that <paramref name="position"/> is in the table, and in the device's copy of it. To be called before a recorded step runs: it
    /// reads the copy that there was.
    /// </summary>
    public static void Reach(this OpStream ops, RopeTable table, int position)
    {
        table.Reach(position);
        ops.Gpu?.Device.Mirror(table.Rows);
    }

    /// <summary>x is [tokens, heads · headDim], changed in place; one position a token.</summary>
    public static unsafe void Rope(this OpStream ops, Matrix x, int heads, int headDim, RopeTable table, Ints positions)
    {
        Debug.Assert(x.Rows == positions.Length && x.Columns == heads * headDim && table.RotaryDim <= headDim, "rope: shapes differ");
        foreach (var position in positions.Host) table.Reach(position);
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, x, heads, headDim, table, positions);
            return;
        }
        using var watch = ops.Watch(StepPart.Rope);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, x, heads, headDim, table, positions.Host); break;
            case Isa.Avx2 or Isa.AvxVnni: Run<Vector16x2>(ops, x, heads, headDim, table, positions.Host); break;
            case Isa.Neon: Run<Vector16x4>(ops, x, heads, headDim, table, positions.Host); break;
            default: Reference(x, heads, headDim, table, positions.Host); break;
        }
    }

    private static unsafe void Run<T>(OpStream ops, Matrix x, int heads, int headDim, RopeTable table, ReadOnlySpan<int> positions)
        where T : unmanaged, IVector16<T>
    {
        fixed (int* first = positions)
        {
            var job = new Job<T>(x, heads, headDim, table, first);
            ops.Deal(job.Items, 2L * x.Rows * heads * table.RotaryDim, ref job);
        }
    }

    private readonly unsafe struct Job<T>(Matrix x, int heads, int headDim, RopeTable table, int* positions) : IJob where T : unmanaged, IVector16<T>
    {
        private readonly int step = Dealing.RowsAnItem(x.Columns);

        public int Items => (x.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var end = Math.Min(x.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++)
            {
                var cos = table.Data + ((long)positions[row] * 2 * table.Stride);
                for (var head = 0; head < heads; head++)
                    Rotate(x.RowData(row) + ((long)head * headDim), cos, cos + table.Stride, table.RotaryDim / 2);
            }
        }

        private static void Rotate(float* u, float* cos, float* sin, int half)
        {
            var zero = T.Broadcast(0);
            for (var i = 0; i < half; i += 16)
            {
                var count = Math.Min(16, half - i);
                var (c, s) = (T.Load(cos + i), T.Load(sin + i));
                var a = count == 16 ? T.Load(u + i) : VectorMath.LoadFirst<T>(u + i, count);
                var b = count == 16 ? T.Load(u + half + i) : VectorMath.LoadFirst<T>(u + half + i, count);
                var left = T.Fma(a, c, zero - (b * s));
                var right = T.Fma(b, c, a * s);
                if (count == 16)
                {
                    T.Store(left, u + i);
                    T.Store(right, u + half + i);
                }
                else
                {
                    VectorMath.StoreFirst(left, u + i, count);
                    VectorMath.StoreFirst(right, u + half + i, count);
                }
            }
        }
    }
}
