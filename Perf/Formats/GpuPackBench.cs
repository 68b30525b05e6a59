using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;
using Quilt.Perf.Columns;
using Quilt.Perf.Kernels;

namespace Quilt.Perf.Formats;

/// <summary>
/// Packing of tiled weights into a GPU's layout: 64 experts of [1536, 3072], in each format that a large model is stored in. The device is the
/// emulated one: its memory is the host's.
/// </summary>
public class GpuPackBench : IMovesBytes
{
    private const int Experts = 64;
    private const int Rows = 1536;
    private const int Columns = 3072;
    private GpuDevice device = null!;
    private Weight weight = null!;

    [Params("int4", "fp8", "bf16")]
    public string Format { get; set; } = "";

    /// <summary>Tiles read, packed words written, and both once more when they go over.</summary>
    public long BytesMoved => 4L * Experts * Rows * Columns * (Format switch { "int4" => 9, "fp8" => 16, _ => 32 }) / 16;

    [GlobalSetup]
    public void Open()
    {
        device = GpuDevices.Open(GpuDevices.Emulated);
        weight = Format switch
        {
            "int4" =>
                WeightBench.Fill<Int4Format,
                    Int4GroupWeight>(new("w", Experts, Rows, Columns, TileLayout.Even<Int4Format>(Columns, 32), 32, TileScales.BFloat16,
                    zeroPoints: false), random => (uint)random.Next(16)),
            "fp8" => WeightBench.Fill<Fp8Format, Fp8BlockWeight>(new("w", Experts, Rows, Columns, 128, 128), random => (uint)random.Next(0x7F)),
            _ => WeightBench.Fill<BFloat16Format, BFloat16Weight>(new("w", Experts, Rows, Columns), random => (uint)random.Next(0x3F80)),
        };
    }

    [Benchmark]
    public void Pack() => weight.MoveTo(device).Dispose();

    [GlobalCleanup]
    public void Close()
    {
        weight.Dispose();
        device.Dispose();
    }
}
