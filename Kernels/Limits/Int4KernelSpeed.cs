using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Limits;

/// <summary>
/// How many operations a second our own kernel of 4-bit weights and int8 input makes on all threads when everything lies in the cache: what is left
/// between it and <see cref="RegisterSpeed"/> is its own affair, what is left between it and a prompt that of everything around it. None where the
/// reference alone runs.
/// </summary>
internal sealed unsafe class Int4KernelSpeed : IDisposable
{
    private const int Columns = 3072;
    private const int ItemsAThread = 16;
    private const int Passes = 16;
    private const int Runs = 12;
    private const int TokenBlock = 16;

    private readonly CpuDevice device;
    private readonly OpStream ops;
    private readonly Int4GroupWeight weight;
    private readonly Int8Activations input;

    public Int4KernelSpeed(CpuDevice device)
    {
        this.device = device;
        ops = new OpStream(device, Activations.Int8);
        weight = new Int4GroupWeight("limit", 1, 16, Columns, TileLayout.Even<Int4Format>(Columns, 32), 32, TileScales.BFloat16, zeroPoints: false);
        var x = ops.Scratch(TokenBlock, Columns);
        for (var i = 0; i < x.Values.Length; i++) x.Values[i] = (i % 201) - 100;
        input = Int8Activations.Quantize(ops, x);
    }

    /// <summary>GOP/s.</summary>
    public Speed Measure() => device.Isa switch
    {
        Isa.Avx512 => Measure<Register512>(),
        Isa.AvxVnni => Measure<RegisterVnni>(),
        Isa.Avx2 => Measure<Register256>(),
        Isa.Neon => Measure<Register128>(),
        _ => Speed.None,
    };

    public void Dispose()
    {
        weight.Dispose();
        ops.Dispose();
    }

    private Speed Measure<T>() where T : unmanaged, IRegister<T>
    {
        var items = ItemsAThread * device.Pool.Threads;
        return Speed.Of(Passes, 2.0 * items * Runs * 16 * TokenBlock * Columns, _ =>
        {
            var job = new Job<T>(weight.View, weight.Layout, input);
            device.Pool.Run(items, ref job);
        });
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
