using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>y += x.</summary>
internal static partial class AddOp
{
    /// <summary>Both are [rows, columns].</summary>
    public static void Add(this OpStream ops, Matrix x, Matrix into)
    {
        Debug.Assert(x.Rows == into.Rows && x.Columns == into.Columns, "add: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, x, into);
            return;
        }
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, x, into); break;
            case Isa.Avx2: Run<Vector16x2>(ops, x, into); break;
            case Isa.Neon: Run<Vector16x4>(ops, x, into); break;
            default: Reference(x, into); break;
        }
    }

    private static void Run<T>(OpStream ops, Matrix x, Matrix into) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(x, into);
        ops.Deal(job.Items, job.Count, ref job);
    }

    private readonly unsafe struct Job<T>(Matrix x, Matrix into) : IJob where T : unmanaged, IVector16<T>
    {
        public long Count => (long)x.Rows * x.Columns;

        public int Items => (int)((Count + Dealing.Chunk - 1) / Dealing.Chunk);

        public void Execute(int item)
        {
            var i = (long)item * Dealing.Chunk;
            var end = Math.Min(Count, i + Dealing.Chunk);
            for (; i + 16 <= end; i += 16) T.Store(T.Load(into.Data + i) + T.Load(x.Data + i), into.Data + i);
            for (; i < end; i++) into.Data[i] += x.Data[i];
        }
    }
}
