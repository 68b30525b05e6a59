using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>y = silu(gate) · up,  silu(g) = g / (1 + e^−g).</summary>
internal static partial class SiluMulOp
{
    /// <summary>All are [rows, columns]; <paramref name="into"/> may be <paramref name="gate"/> or <paramref name="up"/>.</summary>
    public static void SiluMul(this OpStream ops, Matrix gate, Matrix up, Matrix into)
    {
        Debug.Assert(gate.Rows == up.Rows && gate.Columns == up.Columns && gate.Rows == into.Rows
            && gate.Columns == into.Columns, "silu: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, gate, up, into);
            return;
        }
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, gate, up, into); break;
            case Isa.Avx2: Run<Vector16x2>(ops, gate, up, into); break;
            case Isa.Neon: Run<Vector16x4>(ops, gate, up, into); break;
            default: Reference(gate, up, into); break;
        }
    }

    private static void Run<T>(OpStream ops, Matrix gate, Matrix up, Matrix into) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(gate, up, into);
        ops.Deal(job.Items, 4 * job.Count, ref job);
    }

    private readonly unsafe struct Job<T>(Matrix gate, Matrix up, Matrix into) : IJob where T : unmanaged, IVector16<T>
    {
        private const int Step = Dealing.Chunk / 4;

        public long Count => (long)gate.Rows * gate.Columns;

        public int Items => (int)((Count + Step - 1) / Step);

        public void Execute(int item)
        {
            var i = (long)item * Step;
            var end = Math.Min(Count, i + Step);
            for (; i + 16 <= end; i += 16) T.Store(VectorMath.Silu(T.Load(gate.Data + i)) * T.Load(up.Data + i), into.Data + i);
            if (i < end)
            {
                var rest = (int)(end - i);
                var y = VectorMath.Silu(VectorMath.LoadFirst<T>(gate.Data + i, rest)) * VectorMath.LoadFirst<T>(up.Data + i, rest);
                VectorMath.StoreFirst(y, into.Data + i, rest);
            }
        }
    }
}
