using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// y = g · sigmoid(α · g) · (u + 1), g = min(gate, limit), u = up between −limit and limit, α = 1.702 (specification: GptOssExperts of transformers).
/// </summary>
internal static partial class ClampedSwigluOp
{
    /// <summary>Makes the sigmoid's slope that of the normal distribution's integral.</summary>
    private const float Alpha = 1.702f;

    /// <summary>All are [rows, columns]; <paramref name="into"/> may be <paramref name="gate"/> or <paramref name="up"/>.</summary>
    public static void ClampedSwiglu(this OpStream ops, Matrix gate, Matrix up, float limit, Matrix into)
    {
        Debug.Assert(gate.Rows == up.Rows && gate.Columns == up.Columns && gate.Rows == into.Rows
            && gate.Columns == into.Columns, "swiglu: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, gate, up, limit, into);
            return;
        }
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, gate, up, limit, into); break;
            case Isa.Avx2: Run<Vector16x2>(ops, gate, up, limit, into); break;
            case Isa.Neon: Run<Vector16x4>(ops, gate, up, limit, into); break;
            default: Reference(gate, up, limit, into); break;
        }
    }

    private static void Run<T>(OpStream ops, Matrix gate, Matrix up, float limit, Matrix into) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(gate, up, limit, into);
        ops.Deal(job.Items, 4 * job.Count, ref job);
    }

    private readonly unsafe struct Job<T>(Matrix gate, Matrix up, float limit, Matrix into) : IJob where T : unmanaged, IVector16<T>
    {
        private const int Step = Dealing.Chunk / 4;

        public long Count => (long)gate.Rows * gate.Columns;

        public int Items => (int)((Count + Step - 1) / Step);

        public void Execute(int item)
        {
            var i = (long)item * Step;
            var end = Math.Min(Count, i + Step);
            for (; i + 16 <= end; i += 16) T.Store(One(T.Load(gate.Data + i), T.Load(up.Data + i)), into.Data + i);
            if (i < end)
            {
                var rest = (int)(end - i);
                VectorMath.StoreFirst(One(VectorMath.LoadFirst<T>(gate.Data + i, rest), VectorMath.LoadFirst<T>(up.Data + i, rest)), into.Data + i,
                    rest);
            }
        }

        private T One(T g, T u)
        {
            g = T.Min(T.Broadcast(limit), g);
            u = T.Max(T.Broadcast(-limit), T.Min(T.Broadcast(limit), u));
            var glu = g / (T.Broadcast(1) + VectorMath.Exp(T.Broadcast(-Alpha) * g));
            return (u + T.Broadcast(1)) * glu;
        }
    }
}
