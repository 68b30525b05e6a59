using ILGPU;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// FP8 E4M3. A word holds four codes of a step, columns 2t and 2t + 1 (even words) or 2t + 8 and 2t + 9: bytes 0 and 2 belong to row g, bytes 1 and 3
/// to row g + 8, so that two shifts and masks make two registers of the mma instruction.
/// </summary>
internal readonly struct Fp8Gpu : IGpuFormat
{
    public static int Bits => 8;

    public static int Steps => 2;

    public static int PerStep => 4;

    public static int Word(int step, int i, int half) => (2 * step) + (i >> 1);

    public static int Shift(int step, int i, int half) => 8 * (half + (2 * (i & 1)));

    // Exponent and mantissa under those of a float are the value times 2^-120, subnormals included.
    public static float Value(uint code, float zero) => Interop.IntAsFloat(((code & 0x7F) << 20) | ((code & 0x80) << 24)) * 1.329227995784916e36f;

    public static int Loads => 2;

    public static Words4 Registers(Words4 load0, Words4 load1, Words4 load2, Words4 load3, int step, uint zeroLow, uint zeroHigh)
    {
        var load = step < 2 ? load0 : load1;
        var (near, far) = (step & 1) == 0 ? (load.A, load.B) : (load.C, load.D);
        return new Words4 { A = Even(near), B = Odd(near), C = Even(far), D = Odd(far) };
    }

    // Two codes as two bfloat16: as above, times 2^120 in one instruction; the addend −0 changes nothing.
    private static uint Even(uint codes) =>
        TensorCore.MultiplyAdd2(TensorCore.MaskOr(codes << 8, 0x80008000, (codes << 4) & 0x07F007F0), 0x7B807B80, 0x80008000);

    private static uint Odd(uint codes) =>
        TensorCore.MultiplyAdd2(TensorCore.MaskOr(codes, 0x80008000, (codes >> 4) & 0x07F007F0), 0x7B807B80, 0x80008000);
}

internal sealed partial class Fp8BlockWeight
{
    public override Weight MoveTo(GpuDevice device) => GpuWeight<Fp8Gpu>.Pack(device, this);
}
