using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Reads a stack of stored modules into a tiled weight; an item is a run of rows of one module. A module gives its rows in the order of columns and
/// in codes of the weight's own width, so that nothing is left but to put them in their places.
/// </summary>
internal readonly struct FillJob<TFormat> : IJob where TFormat : struct, ITileFormat
{
    /// <summary>Bytes read at a time: what a thread holds beside the weight.</summary>
    internal const int ChunkBytes = 1 << 18;

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
        var end = Math.Min((chunk + 1) * chunkRows, module.Rows);
        var rowBytes = module.RowBytes;
        var step = module.IsScattered ? module.Rows : Math.Clamp(ChunkBytes / Math.Max(1, rowBytes), 1, module.Rows);
        using var room = new NativeBuffer((long)rowBytes * Math.Min(step, Math.Max(0, end - (chunk * chunkRows))));
        for (var row = chunk * chunkRows; row < end; row += step)
        {
            var count = Math.Min(step, end - row);
            SetCodes(expert, module, row, count, room.Span<byte>(0, checked(rowBytes * count)));
        }
    }

    private void SetCodes(int expert, StoredModule module, int row, int count, Span<byte> bytes)
    {
        var rowBytes = module.RowBytes;
        module.ReadRows(row, bytes);
        var plain = weight.Layout.IsIdentity && BitConverter.IsLittleEndian && rowBytes == weight.Layout.Words * 4;
        var codes = plain ? [] : ArrayPool<uint>.Shared.Rent(module.Columns);
        try
        {
            for (var i = 0; i < count; i++)
            {
                var line = bytes.Slice(i * rowBytes, rowBytes);
                if (plain && TFormat.PerWord == 8) TileWords.PlaceNibbles(MemoryMarshal.Cast<byte, uint>(line), weight, expert, row + i);
                else if (plain) TileWords.Place(MemoryMarshal.Cast<byte, uint>(line), weight, expert, row + i);
                else
                {
                    TileWords.Unpack(line, codes.AsSpan(0, module.Columns), 32 / TFormat.PerWord);
                    weight.SetCodes(expert, row + i, codes);
                }
            }
        }
        finally
        {
            if (!plain) ArrayPool<uint>.Shared.Return(codes);
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
            for (var row = 0; row < module.Rows; row++)
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
