using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Tests.Kernels.Weights;

/// <summary>What lies in a GPU's memory after packing is, bit for bit, what packing code by code gives.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.Gpus))]
public sealed class GpuPackingTests(Target target)
{
    private static readonly (int Experts, int Rows, int Columns)[] Shapes =
        [(1, 1, 1), (1, 1, 32), (2, 7, 33), (1, 15, 70), (3, 16, 96), (2, 17, 128), (1, 64, 64), (1, 65, 160), (2, 40, 261), (1, 9, 513)];

    private GpuDevice device = null!;

    [OneTimeSetUp]
    public void Open() => device = (GpuDevice)target.Open();

    [Test]
    public void Every_format_is_packed_as_code_by_code([ValueSource(typeof(RandomWeights), nameof(RandomWeights.Kinds))] string kind)
    {
        foreach (var (experts, rows, columns) in Shapes) Check(kind, experts, rows, columns);
    }

    // Two batches take turns: three of them and an odd rest.
    [TestCase("f32", 2, 5003, 650)]
    [TestCase("fp8-ragged", 3, 3001, 3000)]
    public void So_are_weights_of_several_batches(string kind, int experts, int rows, int columns) => Check(kind, experts, rows, columns);

    private void Check(string kind, int experts, int rows, int columns)
    {
        using var from = RandomWeights.Make(kind, experts, rows, columns, seed: rows + columns);
        using var packed = from.MoveTo(device);
        switch (from)
        {
            case BFloat16Weight weight: Check<BFloat16Gpu, BFloat16Format>(weight, packed); break;
            case Float16Weight weight: Check<Float16Gpu, Float16Format>(weight, packed); break;
            case Float32Weight weight: Check<Float32Gpu, Float32Format>(weight, packed); break;
            case Fp8BlockWeight weight: Check<Fp8Gpu, Fp8Format>(weight, packed); break;
            case Int4GroupWeight weight: Check<Int4Gpu, Int4Format>(weight, packed); break;
            case Int8GroupWeight weight: Check<Int8Gpu, Int8Format>(weight, packed); break;
            default: Assert.Fail($"{from.GetType().Name} is not compared"); break;
        }
    }

    private void Check<T, TFormat>(TiledWeight<TFormat> from, Weight packed) where T : struct, IGpuFormat where TFormat : struct, ITileFormat
    {
        var on = (GpuWeight<T>)packed;
        var (words, scales, zeros) = PlainGpuPacking.Pack<T, TFormat>(from, on.Layout, on.ScaleWords);
        var about = $"{from.Name} [{from.Experts}, {from.Rows}, {from.Columns}]";
        Assert.That(words.Any(word => word != 0), Is.True, about);
        Assert.That(MemoryMarshal.Cast<Words4, uint>(Back(on.Words)).SequenceEqual(words), Is.True, $"{about}: words");
        if (on.IsScaled) Assert.That(Back(on.Scales).AsSpan().SequenceEqual(scales), Is.True, $"{about}: scales");
        if (on.HasZeroPoints) Assert.That(Back(on.Zeros).AsSpan().SequenceEqual(zeros), Is.True, $"{about}: zero points");
    }

    private T[] Back<T>(ArrayView<T> view) where T : unmanaged
    {
        var values = new T[view.Length];
        using var stream = device.Accelerator.CreateStream();
        view.CopyToCPU(stream, ref values[0], values.Length);
        stream.Synchronize();
        return values;
    }
}
