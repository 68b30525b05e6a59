using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Limits;

/// <summary>
/// How many operations a second the kernel of 4-bit weights and int8 input makes on all threads when everything lies in the cache: the limit of
/// reading a prompt. A multiplication and an addition are two operations. Where a machine runs the reference alone there is no such kernel, and no
/// number.
/// </summary>
internal sealed unsafe class Int8Speed : IDisposable
{
    private const int Columns = 3072;
    private const int Items = 64;
    private const int Runs = 100;
    private readonly CpuDevice device;
    private readonly OpStream ops;
    private readonly Int4GroupWeight weight;
    private readonly Int8Activations input;

    public Int8Speed(CpuDevice device)
    {
        this.device = device;
        ops = new OpStream(device, Activations.Int8);
        weight = new Int4GroupWeight("limit", 1, 16, Columns, TileLayout.Even<Int4Format>(Columns, 32), 32, TileScales.BFloat16, zeroPoints: false);
        var x = ops.Scratch(TokenBlock, Columns);
        for (var i = 0; i < x.Values.Length; i++) x.Values[i] = (i % 201) - 100;
        input = Int8Activations.Quantize(ops, x);
    }

    private const int TokenBlock = 16;

    /// <summary>GOP/s (10^9 operations a second); NaN where only the reference runs.</summary>
    public double Measure() => device.Isa switch
    {
        Isa.Avx512 => Measure<Register512>(),
        Isa.Avx2 => Measure<Register256>(),
        Isa.Neon => Measure<Register128>(),
        _ => double.NaN,
    };

    public void Dispose()
    {
        weight.Dispose();
        ops.Dispose();
    }

    private double Measure<T>() where T : unmanaged, IRegister<T>
    {
        var job = new Job<T>(weight.View, weight.Layout, input);
        var start = Stopwatch.GetTimestamp();
        device.Pool.Run(Items, ref job);
        return 2.0 * Items * Runs * 16 * TokenBlock * Columns / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    private readonly struct Job<T>(TileView view, TileLayout layout, Int8Activations input) : IJob where T : unmanaged, IRegister<T>
    {
        public void Execute(int item)
        {
            var sums = stackalloc float[TileMatMul.SumStride * TokenBlock];
            var rows = stackalloc int[TokenBlock];
            for (var t = 0; t < TokenBlock; t++) rows[t] = t;
            var tile = new TileCursor(view, layout, 0);
            var product = new Int4ByInt8Product<T>(layout, input);
            for (var run = 0; run < Runs; run++) product.Multiply(tile, 1, new InputRows(rows, TokenBlock, 0, 0), sums);
        }
    }
}
