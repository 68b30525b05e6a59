using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>From the form of a module's rows to a weight that multiplies itself. How files hold such rows is nothing that is known here.</summary>
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
        var form = module.Form;
        long rows = (module.Rows + 15) / 16 * 16, groups = form.Groups(module.Columns);
        var columns = form.GroupColumns < 16 ? groups * 16 : module.Columns;
        var perGroup = form.Scales is null ? 0 : (form.Scales == DType.BF16 ? 2 : 4) + (form.ZeroPoints ? 2 : 0);
        return rows * ((columns * form.Bits / 8) + (groups * perGroup));
    }

    /// <summary>
    /// Most bytes that the host holds at once to bring a stack of <paramref name="stack"/> bytes onto a GPU: the stack itself, what each thread
    /// reads, and two batches, whose scales and zero points take at most as much again as their codes.
    /// </summary>
    public static long HostBytes(long stack, int threads) =>
        stack + Math.Min(stack, threads * (long)FillJob<Int4Format>.ChunkBytes) + (2 * Math.Min(stack, 2 * GpuBatch.Bytes));

    private static Weight Load(CpuDevice device, Checkpoint checkpoint, IReadOnlyList<StoredModule> stack, string name)
    {
        var indexes = stack.Select(module => module.ReadGroupIndex()).ToArray();
        for (var e = 1; e < stack.Count; e++)
        {
            if (stack[e].Form == stack[0].Form && Same(indexes[e], indexes[0]) && MappedTiles.Follows(stack[e - 1], stack[e])) continue;
            checkpoint.Warn(name, "its experts are stored in different ways; each is multiplied on its own, which is slower");
            return LoadEach(device, stack, indexes);
        }
        return Load(device, stack, name, indexes[0]);
    }

    private static Weight Load(CpuDevice device, IReadOnlyList<StoredModule> stack, string name, int[]? groupOfColumn)
    {
        var (rows, columns, count, form) = (stack[0].Rows, stack[0].Columns, stack.Count, stack[0].Form);
        var tiles = stack[0].Tiles;
        var memory = tiles is null ? null : MappedTiles.Open(tiles, count);
        return form.Codes switch
        {
            CodeType.BFloat16 => Fill(new BFloat16Weight(name, count, rows, columns, memory)),
            CodeType.Float16 => Fill(new Float16Weight(name, count, rows, columns, memory)),
            CodeType.Float32 => Fill(new Float32Weight(name, count, rows, columns, memory)),
            CodeType.Float8 => Fill(new Fp8BlockWeight(name, count, rows, columns, form.ScaleRows, form.GroupColumns, memory)),
            CodeType.Int4 => Fill(
                new Int4GroupWeight(name, count, rows, columns, Layout<Int4Format>(), form.GroupColumns, Scales(form), form.ZeroPoints, memory)),
            CodeType.Int8 => Fill(
                new Int8GroupWeight(name, count, rows, columns, Layout<Int8Format>(), form.GroupColumns, Scales(form), form.ZeroPoints, memory)),
            var codes => throw new NotSupportedException($"{name}: no weight for codes of {codes}."),
        };

        TiledWeight<TFormat> Fill<TFormat>(TiledWeight<TFormat> weight) where TFormat : struct, ITileFormat
        {
            try
            {
                if (tiles is not null)
                {
                    MappedTiles.Check(tiles, weight);
                    return weight;
                }
                var job = new FillJob<TFormat>(weight, stack);
                device.Pool.Run(job.Items, ref job);
                return weight;
            }
            catch
            {
                weight.Dispose();
                throw;
            }
        }

        TileLayout Layout<TFormat>() where TFormat : ITileFormat => groupOfColumn is null
            ? TileLayout.Even<TFormat>(columns, form.GroupColumns)
            : TileLayout.ByGroup<TFormat>(groupOfColumn, form.Groups(columns));
    }

    private static ExpertList LoadEach(CpuDevice device, IReadOnlyList<StoredModule> stack, int[]?[] indexes)
    {
        var weights = new List<Weight>();
        try
        {
            for (var e = 0; e < stack.Count; e++) weights.Add(Load(device, [stack[e]], stack[e].Name, indexes[e]));
            return new ExpertList(stack[0].Name, [.. weights]);
        }
        catch
        {
            foreach (var weight in weights) weight.Dispose();
            throw;
        }
    }

    private static TileScales Scales(RowForm form) => form.Scales == DType.BF16 ? TileScales.BFloat16 : TileScales.Float32;

    private static bool Same(int[]? a, int[]? b) => a is null ? b is null : b is not null && a.AsSpan().SequenceEqual(b);
}
