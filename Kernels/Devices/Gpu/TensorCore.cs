using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Four values of a warp's 16 x 8 result: lane 4 · g + t holds row g, columns 2t and 2t + 1 (A, B), and row g + 8, the same columns (C, D).
/// </summary>
internal struct Acc4
{
    public float A;
    public float B;
    public float C;
    public float D;
}

/// <summary>
/// Instructions of NVIDIA's processors that ILGPU has no name for. On such a device each is one instruction (<c>TensorCore.Ptx.cs</c>); the bodies
/// below say what it computes, and run on the stand-in device.
/// </summary>
internal static partial class TensorCore
{
    /// <summary>
    /// c + A · B for a warp: A is 16 x 16, B 16 x 8, both bfloat16 in pairs, sums in float32. Lane 4 · g + t gives of A: a0 = row g, columns 2t, 2t +
    /// 1; a1 = row g + 8, the same; a2, a3 = the same rows, columns 2t + 8, 2t + 9; of B: b0 = column g, rows 2t, 2t + 1; b1 = column g, rows 2t + 8,
    /// 2t + 9.
    /// </summary>
    [IntrinsicImplementation]
    public static Acc4 Multiply(Acc4 c, uint a0, uint a1, uint a2, uint a3, uint b0, uint b1) =>
        Multiply<Halves>(c, new Operands { A0 = a0, A1 = a1, A2 = a2, A3 = a3, B0 = b0, B1 = b1 });

    /// <summary>
    /// c + A · B for a warp: A is 16 x 32, B 32 x 8, both FP8 E4M3 in fours, sums in float32. Lane 4 · g + t gives of A: a0 = row g, columns 4t to 4t
    /// + 3; a1 = row g + 8, the same; a2, a3 = the same rows, columns 4t + 16 on; of B: b0 = column g, rows 4t to 4t + 3; b1 = column g, rows 4t + 16
    /// on. From sm_89 on.
    /// </summary>
    [IntrinsicImplementation]
    public static Acc4 MultiplyFp8(Acc4 c, uint a0, uint a1, uint a2, uint a3, uint b0, uint b1) =>
        Multiply<Bytes>(c, new Operands { A0 = a0, A1 = a1, A2 = a2, A3 = a3, B0 = b0, B1 = b1 });

    /// <summary>Bytes 0 and 2 of each of two words.</summary>
    [IntrinsicImplementation]
    public static uint EvenBytes(uint low, uint high) => (low & 0xFF) | ((low >> 8) & 0xFF00) | ((high & 0xFF) << 16) | ((high << 8) & 0xFF000000);

    /// <summary>Bytes 1 and 3 of each of two words.</summary>
    [IntrinsicImplementation]
    public static uint OddBytes(uint low, uint high) => EvenBytes(low >> 8, high >> 8);

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

    /// <summary>
    /// Sixteen bytes, <paramref name="offset"/> (a constant) times sixteen bytes further on, that others will read too. Nothing may write there while
    /// the kernel runs.
    /// </summary>
    [IntrinsicImplementation]
    public static Words4 Load(ref Words4 from, int offset) => Unsafe.Add(ref from, offset);

    /// <summary>The low halves of two words.</summary>
    [IntrinsicImplementation]
    public static uint LowHalves(uint low, uint high) => (low & 0xFFFF) | (high << 16);

    /// <summary>The high halves of two words.</summary>
    [IntrinsicImplementation]
    public static uint HighHalves(uint low, uint high) => (low >> 16) | (high & 0xFFFF0000);

    /// <summary>2^x, within two units in the last place; 0 for −∞.</summary>
    [IntrinsicImplementation]
    public static float Exp2(float x) => float.Exp2(x);

    /// <summary>
    /// Begins to copy sixteen bytes from global to shared memory; they are there once <see cref="Wait"/> has returned and the group has met.
    /// </summary>
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

    // Lane q of a row or column has the same part of k in both operands: half of it in the first register, half in the second.
    private static unsafe Acc4 Multiply<TDot>(Acc4 c, Operands own) where TDot : struct, IDot
    {
        var board = stackalloc Operands[32];
        var all = (Operands*)Warp.Broadcast((long)board, 0);
        var lane = Warp.LaneIdx;
        var (g, t) = (lane >> 2, lane & 3);
        all[lane] = own;
        Warp.Barrier();
        for (var q = 0; q < 4; q++)
        {
            var (rows, left, right) = (all[(4 * g) + q], all[(8 * t) + q], all[(8 * t) + 4 + q]);
            c.A += TDot.Of(rows.A0, left.B0) + TDot.Of(rows.A2, left.B1);
            c.B += TDot.Of(rows.A0, right.B0) + TDot.Of(rows.A2, right.B1);
            c.C += TDot.Of(rows.A1, left.B0) + TDot.Of(rows.A3, left.B1);
            c.D += TDot.Of(rows.A1, right.B0) + TDot.Of(rows.A3, right.B1);
        }
        Warp.Barrier();
        return c;
    }

    /// <summary>What two registers give that are multiplied number by number.</summary>
    private interface IDot
    {
        static abstract float Of(uint a, uint b);
    }

    /// <summary>Two bfloat16 each.</summary>
    private readonly struct Halves : IDot
    {
        public static float Of(uint a, uint b) => (Low(a) * Low(b)) + (High(a) * High(b));
    }

    /// <summary>Four FP8 each.</summary>
    private readonly struct Bytes : IDot
    {
        public static float Of(uint a, uint b)
        {
            var sum = 0f;
            for (var i = 0; i < 32; i += 8) sum += Fp8Gpu.Value((a >> i) & 0xFF, 0) * Fp8Gpu.Value((b >> i) & 0xFF, 0);
            return sum;
        }
    }

    /// <summary>What a lane gives to a product.</summary>
    private struct Operands
    {
        public uint A0;
        public uint A1;
        public uint A2;
        public uint A3;
        public uint B0;
        public uint B1;
    }

    private static float Low(uint pair) => Interop.IntAsFloat(pair << 16);

    private static float High(uint pair) => Interop.IntAsFloat(pair & 0xFFFF0000);
}
