using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Perf.Columns;

namespace Quilt.Perf.Kernels;

/// <summary>A stream on a device of one target with all threads. Instruction sets that this machine lacks are left out.</summary>
public abstract class OpBench : IMovesBytes
{
    /// <summary>Width of the model: MiniMax-M2.5.</summary>
    protected const int Model = 3072;

    private OpStream? ops;

    [ParamsSource(nameof(Targets))]
    public Isa Target { get; set; }

    public static IEnumerable<Isa> Targets => new[] { Isa.Neon, Isa.Avx2, Isa.AvxVnni, Isa.Avx512 }.Where(isa => isa.IsSupported());

    public abstract long BytesMoved { get; }

    internal OpStream Ops => ops ??= new OpStream(new CpuDevice(Target));

    [GlobalCleanup]
    public void Close()
    {
        ops?.Device.Dispose();
        ops?.Dispose();
    }

    /// <summary>A matrix of numbers between −1 and 1.</summary>
    internal Matrix Random(int rows, int columns)
    {
        var random = new Random(rows + columns);
        var matrix = Ops.Scratch(rows, columns);
        foreach (ref var value in matrix.Values) value = (2 * random.NextSingle()) - 1;
        return matrix;
    }

    internal static NativeBuffer Ones(int count)
    {
        var buffer = new NativeBuffer(count * sizeof(float));
        buffer.Span<float>(0, count).Fill(1);
        return buffer;
    }
}
