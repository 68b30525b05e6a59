using ILGPU;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Devices;

/// <summary>Four values of a warp's 16 x 8 result: lane 4 · g + t holds row g, columns 2t and 2t + 1 (A, B), and row g + 8, the same columns (C, D).</summary>
internal struct Acc4
{
    public float A;
    public float B;
    public float C;
    public float D;
}

/// <summary>
/// Instructions of NVIDIA's processors that ILGPU has no name for. On such a device each is one instruction (<c>TensorCore.Ptx.cs</c>); the bodies below say what it
/// computes, and run on the stand-in device.
/// </summary>
internal static partial class TensorCore
{
    /// <summary>
    /// c + A · B for a warp: A is 16 x 16, B 16 x 8, both bfloat16 in pairs, sums in float32. Lane 4 · g + t gives of A: a0 = row g, columns 2t, 2t + 1; a1 = row g + 8,
    /// the same; a2, a3 = the same rows, columns 2t + 8, 2t + 9; of B: b0 = column g, rows 2t, 2t + 1; b1 = column g, rows 2t + 8, 2t + 9.
    /// </summary>
    [IntrinsicImplementation]
    public static Acc4 Multiply(Acc4 c, uint a0, uint a1, uint a2, uint a3, uint b0, uint b1)
    {
        var lane = Warp.LaneIdx;
        var (g, t) = (lane >> 2, lane & 3);
        var (a, b) = (new Words4 { A = a0, B = a1, C = a2, D = a3 }, new Words4 { A = b0, B = b1 });
        for (var q = 0; q < 4; q++)
        {
            // Lane q of a row or column has its k = 2q, 2q + 1, 2q + 8, 2q + 9. Each exchange is two meetings of the warp's threads: the fewer the better.
            var rows = Warp.Shuffle(a, (4 * g) + q);
            var (left, right) = (Warp.Shuffle(b, (8 * t) + q), Warp.Shuffle(b, (8 * t) + 4 + q));
            c.A += Dot(rows.A, left.A) + Dot(rows.C, left.B);
            c.B += Dot(rows.A, right.A) + Dot(rows.C, right.B);
            c.C += Dot(rows.B, left.A) + Dot(rows.D, left.B);
            c.D += Dot(rows.B, right.A) + Dot(rows.D, right.B);
        }
        return c;
    }

    /// <summary>(x and mask) or bits: one instruction, which an assembler does not make of two where mask and bits are constants.</summary>
    [IntrinsicImplementation]
    public static uint MaskOr(uint x, uint mask, uint bits) => (x & mask) | bits;

    /// <summary>a · b + c in two bfloat16 at once, rounded once.</summary>
    [IntrinsicImplementation]
    public static uint MultiplyAdd2(uint a, uint b, uint c)
    {
        var low = GpuMath.ToBFloat16((Low(a) * Low(b)) + Low(c));
        var high = GpuMath.ToBFloat16((High(a) * High(b)) + High(c));
        return low | (high << 16);
    }

    /// <summary>Two float32 as two bfloat16, to the nearest.</summary>
    [IntrinsicImplementation]
    public static uint Pack2(float low, float high) => GpuMath.ToBFloat16(low) | (GpuMath.ToBFloat16(high) << 16);

    /// <summary>Sixteen bytes that are read once and need not stay in the cache.</summary>
    [IntrinsicImplementation]
    public static Words4 LoadOnce(ref Words4 from) => from;

    /// <summary>Begins to copy sixteen bytes from global to shared memory; they are there once <see cref="Wait"/> has returned and the group has met.</summary>
    [IntrinsicImplementation]
    public static void CopyAsync(ref Words4 to, ref Words4 from) => to = from;

    /// <summary>Closes a batch of copies.</summary>
    [IntrinsicImplementation]
    public static void Commit()
    {
    }

    /// <summary>Waits until all batches of this thread but the last one are there.</summary>
    [IntrinsicImplementation]
    public static void WaitAllButOne()
    {
    }

    /// <summary>Waits until all batches of this thread are there.</summary>
    [IntrinsicImplementation]
    public static void Wait()
    {
    }

    private static float Low(uint pair) => Interop.IntAsFloat(pair << 16);

    private static float High(uint pair) => Interop.IntAsFloat(pair & 0xFFFF0000);

    private static float Dot(uint a, uint b) => (Low(a) * Low(b)) + (High(a) * High(b));
}
