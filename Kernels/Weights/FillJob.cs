using System.Buffers;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Reads a stack of stored modules into a tiled weight; an item is a run of rows of one module. A module gives its rows in the order of columns and
/// in codes of the weight's own width, so that nothing is left but to put them in their places.
/// </summary>
internal readonly unsafe struct FillJob<TFormat> : IJob where TFormat : struct, ITileFormat
{
    /// <summary>Most bytes read at a time, but for a single row or a scattered matrix: what a thread holds beside the weight.</summary>
    internal const int ChunkBytes = 1 << 20;

    // What stays in a core's own cache until it is placed.
    private const int CachedBytes = 1 << 18;

    private readonly TiledWeight<TFormat> weight;
    private readonly IReadOnlyList<StoredModule> stack;
    private readonly int chunkRows;
    private readonly int chunks;

    public FillJob(TiledWeight<TFormat> weight, IReadOnlyList<StoredModule> stack)
    {
        (this.weight, this.stack) = (weight, stack);
        chunkRows = Math.Clamp(ChunkBytes / Math.Max(1, stack[0].RowBytes) / 16 * 16, 16, 1 << 20);
        chunks = (stack[0].Rows + chunkRows - 1) / chunkRows;
        // Several modules are items enough.
        if (chunks > 1 && stack.Count > 1) (chunkRows, chunks) = (stack[0].Rows, 1);
    }

    public int Items => stack.Count * chunks;

    public void Execute(int item)
    {
        var (expert, chunk) = (item / chunks, item % chunks);
        var module = stack[expert];
        if (chunk == 0) SetScales(expert, module);
        var (first, end) = (chunk * chunkRows, Math.Min((chunk + 1) * chunkRows, module.Rows));
        var rowBytes = module.RowBytes;
        var step = Math.Min(module.IsScattered ? module.Rows : RowsAtATime(rowBytes), Math.Max(0, end - first));
        using var room = new NativeBuffer((long)rowBytes * step);
        for (var row = first; row < end; row += step)
        {
            var count = Math.Min(step, end - row);
            var bytes = room.Span<byte>(0, checked(rowBytes * count));
            module.ReadRows(row, bytes);
            if (weight.Layout.IsIdentity && BitConverter.IsLittleEndian && rowBytes == weight.Layout.Words * 4) Place(expert, row, bytes, rowBytes);
            else Unpack(expert, row, bytes, rowBytes, module.Columns);
        }
    }

    // Whole tiles where so many rows can be held, else what can.
    private static int RowsAtATime(int rowBytes)
    {
        var bytes = Math.Max(1, rowBytes);
        return bytes > ChunkBytes / 16 ? Math.Max(1, ChunkBytes / bytes) : Math.Max(16, CachedBytes / bytes / 16 * 16);
    }

    // Rows whose words are the tile's.
    private void Place(int expert, int row, ReadOnlySpan<byte> bytes, int rowBytes)
    {
        var count = rowBytes == 0 ? 0 : bytes.Length / rowBytes;
        fixed (byte* from = bytes)
        {
            for (var i = 0; i < count;)
            {
                var line = from + ((long)i * rowBytes);
                if ((row + i) % 16 == 0 && count - i >= 16)
                {
                    TileWords.PlaceTile<TFormat>(line, rowBytes, weight.RowWords(expert, row + i, out _), weight.Layout.Words);
                    i += 16;
                }
                else
                {
                    TileWords.Place(new ReadOnlySpan<uint>(line, weight.Layout.Words), weight, expert, row + i);
                    i++;
                }
            }
        }
    }

    // Rows whose columns are in another order, or padded.
    private void Unpack(int expert, int row, ReadOnlySpan<byte> bytes, int rowBytes, int columns)
    {
        var codes = ArrayPool<uint>.Shared.Rent(columns);
        try
        {
            for (var i = 0; i * rowBytes < bytes.Length; i++)
            {
                TileWords.Unpack(bytes.Slice(i * rowBytes, rowBytes), codes.AsSpan(0, columns), 32 / TFormat.PerWord);
                weight.SetCodes(expert, row + i, codes);
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(codes);
        }
    }

    private void SetScales(int expert, StoredModule module)
    {
        var count = module.ScaleCount;
        if (count == 0) return;
        var zeros = module.ReadZeroPoints();
        var zero = 1 << ((32 / TFormat.PerWord) - 1);
        var (segments, scaleRows) = (weight.Layout.Segments, module.Form.ScaleRows);
        var scales = ArrayPool<float>.Shared.Rent(count);
        try
        {
            module.ReadScales(scales.AsSpan(0, count));
            var row = 0;
            if (scaleRows == 1 && !weight.HasZeroPoints)
            {
                for (; row + 16 <= module.Rows; row += 16) weight.SetTileScales(expert, row, scales.AsSpan(row * segments, 16 * segments));
            }
            for (; row < module.Rows; row++)
            {
                weight.SetScales(expert, row, scales.AsSpan(row / scaleRows * segments, segments), zeros is null
                    ? []
                    : zeros.AsSpan(row * segments, segments), zero);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scales);
        }
    }
}
