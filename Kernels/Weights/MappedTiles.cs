using Quilt.Formats;
using Quilt.Formats.Checkpoints.Packed;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>The tiles of a packed checkpoint as a weight's memory: nothing is read or copied (docs/packing.md).</summary>
internal static class MappedTiles
{
    /// <summary>Whether two modules can be of one stack: both of tiles that lie one after the other, or neither.</summary>
    public static bool Follows(StoredModule first, StoredModule second)
    {
        if (first.Tiles is not { } a || second.Tiles is not { } b) return first.Tiles is null && second.Tiles is null;
        return Adjoin(a.Codes, b.Codes) && Adjoin(a.Scales, b.Scales) && Adjoin(a.Zeros, b.Zeros);
    }

    /// <summary>Maps the tiles of a stack that begins with a module.</summary>
    /// <exception cref="BadInputException">A file cannot be mapped.</exception>
    public static TileMemory Open(PackedTiles first, int count)
    {
        NativeBuffer? codes = null, scales = null;
        try
        {
            codes = Map(first.Codes);
            scales = first.Scales is { } of ? Map(of) : null;
            return new(codes, scales, first.Zeros is { } zeros ? Map(zeros) : null);
        }
        catch
        {
            codes?.Dispose();
            scales?.Dispose();
            throw;
        }

        NativeBuffer Map(TensorEntry tensor) => MappedMemory.Open(tensor.File, tensor.Offset, tensor.Length * count);
    }

    /// <summary>Refuses tensors that have not the size of the weight they are to be.</summary>
    /// <exception cref="BadInputException">A size is wrong.</exception>
    public static void Check<TFormat>(PackedTiles tiles, TiledWeight<TFormat> weight) where TFormat : struct, ITileFormat
    {
        var (codes, scales, zeros) = weight.Sizes;
        Check(tiles.Codes, codes, weight.Experts);
        Check(tiles.Scales, scales, weight.Experts);
        Check(tiles.Zeros, zeros, weight.Experts);
    }

    private static void Check(TensorEntry? tensor, long bytes, int experts)
    {
        if (tensor is not null && tensor.Length * experts != bytes)
            throw new BadInputException(tensor.File, tensor.Label,
                $"expected {bytes / experts} bytes for a matrix of this size and form, found {tensor.Length}");
    }

    private static bool Adjoin(TensorEntry? a, TensorEntry? b) =>
        a is null ? b is null : b is not null && a.File == b.File && a.Length == b.Length && a.Offset + a.Length == b.Offset;
}
