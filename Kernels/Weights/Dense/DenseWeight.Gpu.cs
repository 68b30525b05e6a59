using ILGPU;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>bfloat16: a word is one register of the mma instruction.</summary>
internal readonly struct BFloat16Gpu : IGpuFormat
{
    public static int Bits => 16;

    public static int Steps => 1;

    public static int PerStep => 4;

    public static int Word(int step, int i, int half) => half + (2 * (i >> 1));

    public static int Shift(int step, int i, int half) => 16 * (i & 1);

    public static float Value(uint code, float zero) => GpuMath.FromBFloat16(code);

    public static int Loads => 4;

    public static Words4 Registers(Words4 load0, Words4 load1, Words4 load2, Words4 load3, int step, uint zeroLow, uint zeroHigh) =>
        step == 0 ? load0 : step == 1 ? load1 : step == 2 ? load2 : load3;
}

/// <summary>float16, placed as bfloat16.</summary>
internal readonly struct Float16Gpu : IGpuFormat
{
    public static int Bits => 16;

    public static int Steps => 1;

    public static int PerStep => 4;

    public static int Word(int step, int i, int half) => half + (2 * (i >> 1));

    public static int Shift(int step, int i, int half) => 16 * (i & 1);

    // Exponent and mantissa under those of a float are the value times 2^-112, subnormals included.
    public static float Value(uint code, float zero) => Interop.IntAsFloat(((code & 0x7FFF) << 13) | ((code & 0x8000) << 16)) * 5.192296858534828e33f;
}

/// <summary>float32: a chunk is eight columns, of which a lane holds two of each of its rows.</summary>
internal readonly struct Float32Gpu : IGpuFormat
{
    public static int Bits => 32;

    public static int Steps => 1;

    public static int PerStep => 2;

    public static int Word(int step, int i, int half) => half + (2 * i);

    public static int Shift(int step, int i, int half) => 0;

    public static float Value(uint code, float zero) => Interop.IntAsFloat(code);
}

internal sealed partial class BFloat16Weight
{
    public override Weight MoveTo(GpuDevice device) => GpuWeight<BFloat16Gpu>.Pack(device, this);
}

internal sealed partial class Float16Weight
{
    public override Weight MoveTo(GpuDevice device) => GpuWeight<Float16Gpu>.Pack(device, this);
}

internal sealed partial class Float32Weight
{
    public override Weight MoveTo(GpuDevice device) => GpuWeight<Float32Gpu>.Pack(device, this);
}
