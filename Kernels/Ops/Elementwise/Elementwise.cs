using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>Runs elementwise operations: y[i] = f(a[i], b[i]).</summary>
internal static partial class Elementwise<TOp> where TOp : struct, IElementwise
{
    /// <summary>All are [rows, columns]; <paramref name="into"/> may be <paramref name="a"/> or <paramref name="b"/>.</summary>
    public static void Run(OpStream ops, Matrix a, Matrix b, Matrix into, float parameter = 0)
    {
        Debug.Assert(a.Rows == b.Rows && a.Columns == b.Columns && a.Rows == into.Rows && a.Columns == into.Columns, "elementwise: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, a, b, into, parameter);
            return;
        }
        using var watch = ops.Watch(TOp.Part);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: Run<Vector16x1>(ops, a, b, into, parameter); break;
            case Isa.Avx2 or Isa.AvxVnni: Run<Vector16x2>(ops, a, b, into, parameter); break;
            case Isa.Neon: Run<Vector16x4>(ops, a, b, into, parameter); break;
            default: Reference(a, b, into, parameter); break;
        }
    }

    /// <summary>The definition, in double.</summary>
    public static void Reference(Matrix a, Matrix b, Matrix into, float parameter = 0)
    {
        for (var i = 0; i < a.Values.Length; i++) into.Values[i] = (float)TOp.Define(a.Values[i], b.Values[i], parameter);
    }

    /// <summary><paramref name="count"/> elements that follow each other, on one thread.</summary>
    public static unsafe void Row<T>(float* a, float* b, float* into, int count, float parameter = 0) where T : unmanaged, IVector16<T>
    {
        var p = T.Broadcast(parameter);
        var i = 0;
        for (; i + 16 <= count; i += 16) T.Store(TOp.Apply(T.Load(a + i), T.Load(b + i), p), into + i);
        var rest = count - i;
        if (rest == 0) return;
        VectorMath.StoreFirst(TOp.Apply(VectorMath.LoadFirst<T>(a + i, rest), VectorMath.LoadFirst<T>(b + i, rest), p), into + i, rest);
    }

    private static void Run<T>(OpStream ops, Matrix a, Matrix b, Matrix into, float parameter) where T : unmanaged, IVector16<T>
    {
        var job = new Job<T>(a, b, into, parameter);
        ops.Deal(job.Items, TOp.Cost * job.Count, ref job);
    }

    private readonly unsafe struct Job<T>(Matrix a, Matrix b, Matrix into, float parameter) : IJob where T : unmanaged, IVector16<T>
    {
        private static int Step => Dealing.Chunk / TOp.Cost;

        public long Count => (long)a.Rows * a.Columns;

        public int Items => (int)((Count + Step - 1) / Step);

        public void Execute(int item)
        {
            var first = (long)item * Step;
            Row<T>(a.Data + first, b.Data + first, into.Data + first, (int)Math.Min(Count - first, Step), parameter);
        }
    }
}
