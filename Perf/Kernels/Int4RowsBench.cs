using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Perf.Kernels;

/// <summary>
/// The rows that an expert gets: 4-bit weights [512, 3072] of 0.9 MB, which stay in the cache, by 1 to 16 rows. One expert of a decoding step of many
/// sequences has 1 to 3 of them, of a prompt 16.
/// </summary>
public class Int4RowsBench : WeightBench
{
    private const int Rows = 512;
    private Int4GroupWeight weight = null!;
    private OpStream ops = null!;
    private Matrix x;
    private Matrix y;

    [Params(1, 2, 3, 4, 8, 16)]
    public override int Tokens { get; set; }

    [Params(Activations.Float, Activations.Int8)]
    public Activations Input { get; set; }

    public override long BytesMoved => (long)Rows * Model * 9 / 16;

    public override double Operations => 2.0 * Tokens * Rows * Model;

    public override bool OfBytes => Input == Activations.Int8;

    [GlobalSetup]
    public void Open()
    {
        ops = new OpStream(Ops.Device, Input);
        weight = Fill<Int4Format, Int4GroupWeight>(
            new Int4GroupWeight("w1", 1, Rows, Model, TileLayout.Even<Int4Format>(Model, 32), 32, TileScales.BFloat16, zeroPoints: false),
            random => (uint)random.Next(16));
        (x, y) = (Random(Tokens, Model), Random(Tokens, Rows));
    }

    [Benchmark]
    public void Run()
    {
        ops.Reset();
        weight.MatMul(ops, x, y);
    }
}
