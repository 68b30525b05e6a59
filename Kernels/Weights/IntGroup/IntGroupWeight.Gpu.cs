using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// 4-bit integers, offset binary. Word s holds step s: nibble r is the first column of register r of the mma instruction, nibble r + 4 the second,
/// so that one masked shift makes a register of two bfloat16.
/// </summary>
internal readonly struct Int4Gpu : IGpuFormat
{
    public static int Bits => 4;

    public static int Steps => 4;

    public static int PerStep => 4;

    public static int Word(int step, int i, int half) => step;

    public static int Shift(int step, int i, int half) => 4 * (half + (2 * (i >> 1)) + (4 * (i & 1)));

    public static float Value(uint code, float zero) => (int)code - zero;

    public static int Loads => 1;

    public static Words4 Registers(Words4 load0, Words4 load1, Words4 load2, Words4 load3, int step, uint zeroLow, uint zeroHigh)
    {
        var word = step < 2 ? (step == 0 ? load0.A : load0.B) : (step == 2 ? load0.C : load0.D);
        return new Words4 { A = Pair(word, zeroLow), B = Pair(word >> 4, zeroHigh), C = Pair(word >> 8, zeroLow), D = Pair(word >> 12, zeroHigh) };
    }

    // Nibbles under the mantissa of two bfloat16 128: 128 + code each. Times 1, minus 128 and the zero, in one instruction, exact.
    private static uint Pair(uint word, uint zero) => TensorCore.MultiplyAdd2(TensorCore.MaskOr(word, 0x000F000F, 0x43004300), 0x3F803F80, zero);
}

/// <summary>8-bit integers, offset binary, placed as FP8.</summary>
internal readonly struct Int8Gpu : IGpuFormat
{
    public static int Bits => 8;

    public static int Steps => 2;

    public static int PerStep => 4;

    public static int Word(int step, int i, int half) => (2 * step) + (i >> 1);

    public static int Shift(int step, int i, int half) => 8 * (half + (2 * (i & 1)));

    public static float Value(uint code, float zero) => (int)code - zero;
}

internal sealed partial class Int4GroupWeight
{
    public override Weight MoveTo(GpuDevice device) => GpuWeight<Int4Gpu>.Pack(device, this);
}

internal sealed partial class Int8GroupWeight
{
    public override Weight MoveTo(GpuDevice device) => GpuWeight<Int8Gpu>.Pack(device, this);
}
