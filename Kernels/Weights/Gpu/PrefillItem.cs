using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// What a group of the kernels for many rows takes: 128 rows of a matrix, two tiles of 16 for each of its four warps, and 64 input rows at a time,
/// from <see cref="First"/> to before <see cref="Stop"/>.
/// </summary>
internal struct PrefillItem
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 128;

    /// <summary>Input rows at a time.</summary>
    public const int Tokens = 64;

    /// <summary>Sixteen-byte words that four lanes have of as many input rows: [64 rows, 4 lanes].</summary>
    public const int Half = Tokens * 4;

    /// <summary>The warp's first tile.</summary>
    public int Tile;

    /// <summary>That tile and the next, counted over all matrices. Tiles beyond the last are the last again; their results go nowhere.</summary>
    public long Tile0;
    public long Tile1;
    public int First;
    public int Stop;

    /// <summary>Input row behind the last that the matrix meets.</summary>
    public int End;

    /// <summary>A launch for all of a product, which learns how its input rows are dealt.</summary>
    public static KernelConfig Config(GpuStream gpu, int tiles, int rows, ref GpuProduct product)
    {
        product.Blocks = product.Experts == 0 ? (rows + Tokens - 1) / Tokens : 1;
        return new((int)Math.Min((long)((tiles + 7) / 8) * product.Slots * product.Blocks, gpu.Device.Traits.MostGroups), Threads);
    }

    /// <summary>How many there are.</summary>
    public static int Count(GpuWeightView w, GpuProduct product) => ((w.Tiles + 7) >> 3) * product.Slots * product.Blocks;

    public static PrefillItem Of(GpuWeightView w, ArrayView<int> lists, GpuProduct product, int item)
    {
        var blocks = (w.Tiles + 7) >> 3;
        var slot = item / (blocks * product.Blocks);
        var rest = item - (slot * blocks * product.Blocks);
        var tokenBlock = rest / blocks;
        var expert = product.Expert(lists, slot);
        var matrix = product.Matrix(expert) * w.Tiles;
        var found = default(PrefillItem);
        found.Tile = ((rest - (tokenBlock * blocks)) * 8) + (2 * (Group.IdxX >> 5));
        found.Tile0 = matrix + Min(found.Tile, w.Tiles - 1);
        found.Tile1 = matrix + Min(found.Tile + 1, w.Tiles - 1);
        found.End = product.End(lists, expert);
        found.First = product.First(lists, expert) + (tokenBlock * Tokens);
        found.Stop = product.Experts == 0 ? Min(found.End, found.First + Tokens) : found.End;
        return found;
    }

    /// <summary>Begins to copy eight words of each of 64 input rows: thread n those of lane n &amp; 3 of rows n >> 2 and (n >> 2) + 32.</summary>
    public static void Copy(ArrayView<Words4> from0, ArrayView<Words4> from1, ArrayView<Words4> to)
    {
        TensorCore.CopyAsync(ref to[0], ref from0[0]);
        TensorCore.CopyAsync(ref to[128], ref from1[0]);
        TensorCore.CopyAsync(ref to[Half], ref from0[4]);
        TensorCore.CopyAsync(ref to[Half + 128], ref from1[4]);
    }

    private static int Min(int a, int b) => a < b ? a : b;
}
