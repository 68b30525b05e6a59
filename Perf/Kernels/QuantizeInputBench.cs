using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Perf.Kernels;

/// <summary>What a layer of MiniMax-M2.5 makes integers of before its products: its input, 3072 wide, or an expert's hidden values, 1536.</summary>
public class QuantizeInputBench : OpBench
{
    private OpStream ops = null!;
    private Matrix x;

    [Params(1, 32, 512)]
    public int Tokens { get; set; }

    [Params(1536, Model)]
    public int Columns { get; set; }

    /// <summary>The floats read, the codes written.</summary>
    public override long BytesMoved => 5L * Tokens * Columns;

    [GlobalSetup]
    public void Open()
    {
        ops = new OpStream(Ops.Device, Activations.Int8);
        x = Random(Tokens, Columns);
    }

    [Benchmark]
    public void Run()
    {
        ops.Reset();
        Int8Activations.Quantize(ops, x);
    }
}
