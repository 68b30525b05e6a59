using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Weights for measuring, made in a GPU's memory: random codes, one scale for all, such that an input of deviation 1 gives an output of about that.
/// The same name gives the same weight.
/// </summary>
internal static class RandomGpuWeight
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, uint, uint, uint>> Codes = new(CodesKernel);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<uint>, uint>> Scales = new(ScalesKernel);

    /// <summary>bfloat16.</summary>
    public static GpuWeight BFloat16(GpuDevice device, string name, int experts, int rows, int columns)
    {
        var weight = new GpuWeight<BFloat16Gpu>(device, new(name, experts, rows, columns, "bf16"),
            Layout<BFloat16Gpu, BFloat16Format>(columns, columns), TileScales.None, zeroPoints: false, zero: 0);
        return Fill(weight, 0x807F807F, (Exponent(columns) << 23) | (Exponent(columns) << 7), scale: 0);
    }

    /// <summary>float32.</summary>
    public static GpuWeight Float32(GpuDevice device, string name, int experts, int rows, int columns)
    {
        var weight = new GpuWeight<Float32Gpu>(device, new(name, experts, rows, columns, "f32"), Layout<Float32Gpu, Float32Format>(columns, columns),
            TileScales.None, zeroPoints: false, zero: 0);
        return Fill(weight, 0x807FFFFF, Exponent(columns) << 23, scale: 0);
    }

    /// <summary>FP8 E4M3 with a float32 scale for each 128 columns.</summary>
    public static GpuWeight Fp8(GpuDevice device, string name, int experts, int rows, int columns)
    {
        var weight = new GpuWeight<Fp8Gpu>(device, new(name, experts, rows, columns, "fp8 128x128"), Layout<Fp8Gpu, Fp8Format>(columns, 128),
            TileScales.Float32, zeroPoints: false, zero: 0);
        // Exponents below 8: no NaN, values up to 1.875, of deviation 0.57.
        return Fill(weight, 0xBFBFBFBF, 0, BitConverter.SingleToUInt32Bits((float)(1 / (0.57 * Math.Sqrt(columns)))));
    }

    /// <summary>INT4, symmetric, with a bfloat16 scale for each 32 columns.</summary>
    public static GpuWeight Int4(GpuDevice device, string name, int experts, int rows, int columns)
    {
        var weight = new GpuWeight<Int4Gpu>(device, new(name, experts, rows, columns, "int4 g32"), Layout<Int4Gpu, Int4Format>(columns, 32),
            TileScales.BFloat16, zeroPoints: false, zero: 8);
        var scale = BitConverter.SingleToUInt32Bits((float)(1 / (4.64 * Math.Sqrt(columns)))) >> 16;
        return Fill(weight, uint.MaxValue, 0, scale | (scale << 16));
    }

    // Sign and mantissa at random under one exponent: 1 to 2 times a power of two, whose deviation is 1.53 times it.
    private static uint Exponent(int columns) => (uint)(127 + Math.Round(Math.Log2(1 / (1.53 * Math.Sqrt(columns)))));

    private static GpuLayout Layout<T, TFormat>(int columns, int segment) where T : struct, IGpuFormat where TFormat : struct, ITileFormat =>
        new(TileLayout.Even<TFormat>(columns, segment), 256 / T.Bits, TFormat.PerWord);

    private static GpuWeight<T> Fill<T>(GpuWeight<T> weight, uint keep, uint set, uint scale) where T : struct, IGpuFormat
    {
        var device = weight.Device;
        using var queue = device.Accelerator.CreateStream();
        var launch = new KernelConfig(device.Traits.Groups, device.Traits.GroupThreads);
        var seed = weight.Name.Aggregate(2166136261u, (hash, letter) => (hash ^ letter) * 16777619);
        Codes.On(device)(queue, launch, weight.Words, seed, keep, set);
        if (weight.IsScaled) Scales.On(device)(queue, launch, weight.Scales, scale);
        queue.Synchronize();
        return weight;
    }

    internal static void CodesKernel(ArrayView<Words4> words, uint seed, uint keep, uint set)
    {
        var stride = (long)Grid.DimX * Group.DimX;
        for (var i = ((long)Grid.IdxX * Group.DimX) + Group.IdxX; i < words.Length; i += stride)
        {
            var at = (4 * (uint)i) + (uint)(i >> 30);
            words[i] = new Words4
            {
                A = (Random(seed, at) & keep) | set,
                B = (Random(seed, at + 1) & keep) | set,
                C = (Random(seed, at + 2) & keep) | set,
                D = (Random(seed, at + 3) & keep) | set,
            };
        }
    }

    internal static void ScalesKernel(ArrayView<uint> scales, uint value)
    {
        var stride = (long)Grid.DimX * Group.DimX;
        for (var i = ((long)Grid.IdxX * Group.DimX) + Group.IdxX; i < scales.Length; i += stride) scales[i] = value;
    }

    // A well mixed counter: every bit of the input moves every bit of the output.
    private static uint Random(uint seed, uint at)
    {
        var x = (at * 0x9E3779B9) ^ seed;
        x = (x ^ (x >> 16)) * 0x7FEB352D;
        x = (x ^ (x >> 15)) * 0x846CA68B;
        return x ^ (x >> 16);
    }
}
