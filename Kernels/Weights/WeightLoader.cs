using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>From how a module is stored to a weight that multiplies itself: the only switch over storage schemes beside the quantizer's.</summary>
internal static class WeightLoader
{
    /// <summary>
    /// Reads modules of one shape as one stack, in parallel, straight into the weight's own layout: beside it only a few hundred kilobytes a thread
    /// are held. Modules that are stored in different ways, or whose columns are reordered in different ways, become a list of weights, which is
    /// slower.
    /// </summary>
    /// <exception cref="Formats.BadInputException">A value is one that nobody could have meant.</exception>
    public static Weight Load(Device device, Checkpoint checkpoint, IReadOnlyList<StoredModule> stack, string name)
    {
        if (device is CpuDevice cpu) return Load(cpu, checkpoint, stack, name);

        // One stack at a time passes through the host's memory: of MiniMax-M2.5 the embedding is the largest, with 1.15 GiB.
        var gpu = (GpuDevice)device;
        using var staged = Load(gpu.Host, checkpoint, stack, name);
        return staged.MoveTo(gpu);
    }

    /// <summary>Bytes that a module takes once it is loaded, to within its padding.</summary>
    public static long Bytes(StoredModule module)
    {
        long rows = (module.Rows + 15) / 16 * 16, columns = module.Columns;
        return module.Scheme switch
        {
            QuantScheme.Dense s => rows * columns * s.Type.BitSize() / 8,
            QuantScheme.Fp8 s => rows * (columns + (4 * Segments(s.BlockColumns))),
            QuantScheme.PackedInt s =>
                rows * ((columns * (s.Bits <= 4 ? 4 : 8) / 8) + (
                    Segments(s.GroupSize) * ((Scales(s) == TileScales.BFloat16 ? 2 : 4) + (s.Symmetric ? 0 : 2)))),
            var scheme => throw new NotSupportedException($"{module.Name}: no weight for {scheme.Name}."),
        };

        long Segments(int size) => (columns + size - 1) / size;
    }

    /// <summary>
    /// Most bytes that the host holds at once to bring a stack of <paramref name="stack"/> bytes onto a GPU: the stack itself, what each thread
    /// reads, and two batches, whose scales and zero points take at most as much again as their codes.
    /// </summary>
    public static long HostBytes(long stack, int threads) =>
        stack + Math.Min(stack, threads * (long)FillJob<Int4Format>.ChunkBytes) + (2 * Math.Min(stack, 2 * GpuBatch.Bytes));

    private static Weight Load(CpuDevice device, Checkpoint checkpoint, IReadOnlyList<StoredModule> stack, string name)
    {
        var indexes = stack.Select(module => ModuleValues.ReadGroupIndex(checkpoint, module)).ToArray();
        for (var e = 1; e < stack.Count; e++)
        {
            if (stack[e].Scheme == stack[0].Scheme && Same(indexes[e], indexes[0])) continue;
            checkpoint.Warn(name, "its experts are stored in different ways; each is multiplied on its own, which is slower");
            return LoadEach(device, checkpoint, stack);
        }
        return Load(device, checkpoint, stack, name, indexes[0]);
    }

    private static Weight Load(CpuDevice device, Checkpoint checkpoint, IReadOnlyList<StoredModule> stack, string name, int[]? groupOfColumn)
    {
        var (rows, columns) = (stack[0].Rows, stack[0].Columns);
        return stack[0].Scheme switch
        {
            QuantScheme.Dense { Type: DType.BF16 } => Fill(new BFloat16Weight(name, stack.Count, rows, columns), device, checkpoint, stack),
            QuantScheme.Dense { Type: DType.F16 } => Fill(new Float16Weight(name, stack.Count, rows, columns), device, checkpoint, stack),
            QuantScheme.Dense => Fill(new Float32Weight(name, stack.Count, rows, columns), device, checkpoint, stack),
            QuantScheme.Fp8 s => Fill(new Fp8BlockWeight(name, stack.Count, rows, columns, s.BlockRows, s.BlockColumns), device, checkpoint, stack),
            QuantScheme.PackedInt { Bits: <= 4 } s => Fill(
                new Int4GroupWeight(name, stack.Count, rows, columns, Layout<Int4Format>(s, columns, groupOfColumn), s.GroupSize, Scales(s),
                    !s.Symmetric), device, checkpoint, stack),
            QuantScheme.PackedInt s => Fill(
                new Int8GroupWeight(name, stack.Count, rows, columns, Layout<Int8Format>(s, columns, groupOfColumn), s.GroupSize, Scales(s),
                    !s.Symmetric), device, checkpoint, stack),
            var scheme => throw new NotSupportedException($"{name}: no weight for {scheme.Name}."),
        };
    }

    private static ExpertList LoadEach(CpuDevice device, Checkpoint checkpoint, IReadOnlyList<StoredModule> stack)
    {
        var weights = new List<Weight>();
        try
        {
            foreach (var module in stack) weights.Add(Load(device, checkpoint, [module], module.Name));
            return new ExpertList(stack[0].Name, [.. weights]);
        }
        catch
        {
            foreach (var weight in weights) weight.Dispose();
            throw;
        }
    }

    private static TiledWeight<TFormat> Fill<TFormat>(TiledWeight<TFormat> weight, CpuDevice device, Checkpoint checkpoint,
        IReadOnlyList<StoredModule> stack) where TFormat : struct, ITileFormat
    {
        try
        {
            var job = new FillJob<TFormat>(weight, checkpoint, stack);
            device.Pool.Run(job.Items, ref job);
            return weight;
        }
        catch
        {
            weight.Dispose();
            throw;
        }
    }

    private static TileLayout Layout<TFormat>(QuantScheme.PackedInt scheme, int columns, int[]? groupOfColumn) where TFormat : ITileFormat =>
        groupOfColumn is null
        ? TileLayout.Even<TFormat>(columns, scheme.GroupSize)
        : TileLayout.ByGroup<TFormat>(groupOfColumn, (columns + scheme.GroupSize - 1) / scheme.GroupSize);

    // Half-precision scales have more mantissa than bfloat16 keeps.
    private static TileScales Scales(QuantScheme.PackedInt scheme) => scheme.ScaleType == DType.BF16 ? TileScales.BFloat16 : TileScales.Float32;

    private static bool Same(int[]? a, int[]? b) => a is null ? b is null : b is not null && a.AsSpan().SequenceEqual(b);
}
