using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>Reads a stack of stored modules into a tiled weight; an item is a run of rows of one module.</summary>
internal readonly struct FillJob<TFormat> : IJob where TFormat : struct, ITileFormat
{
    /// <summary>Bytes read at a time: what a thread holds beside the weight.</summary>
    internal const int ChunkBytes = 1 << 18;

    private readonly TiledWeight<TFormat> weight;
    private readonly Checkpoint checkpoint;
    private readonly IReadOnlyList<StoredModule> stack;
    private readonly int chunkRows;
    private readonly int chunks;

    public FillJob(TiledWeight<TFormat> weight, Checkpoint checkpoint, IReadOnlyList<StoredModule> stack)
    {
        (this.weight, this.checkpoint, this.stack) = (weight, checkpoint, stack);
        chunkRows = (int)Math.Clamp(ChunkBytes / Math.Max(1, stack[0].Weight.Length / stack[0].Rows) / 16 * 16, 16, 1 << 20);
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
        // A part of a larger tensor is read as a whole: each of its rows goes through all of it.
        var step = module.Weight.Strides is null
            ? (int)Math.Clamp(ChunkBytes / Math.Max(1, module.Weight.Length / module.Rows), 1, module.Rows)
            : module.Rows;
        var rowBytes = checked((int)(module.Weight.Length / module.Rows));
        using var room = new NativeBuffer((long)rowBytes * Math.Min(step, Math.Max(0, end - (chunk * chunkRows))));
        for (var row = chunk * chunkRows; row < end; row += step)
        {
            var count = Math.Min(step, end - row);
            SetCodes(expert, module, row, count, room.Span<byte>(0, rowBytes * count));
        }
    }

    private void SetCodes(int expert, StoredModule module, int row, int count, Span<byte> bytes)
    {
        var rowBytes = bytes.Length / count;
        var codes = ArrayPool<uint>.Shared.Rent(module.Columns);
        try
        {
            ModuleValues.ReadWeight(checkpoint, module, bytes, (long)row * rowBytes);
            var plain = weight.Layout.IsIdentity && BitConverter.IsLittleEndian && rowBytes == weight.Layout.Words * 4
                && Bits(module) == 32 / TFormat.PerWord;
            for (var i = 0; i < count; i++)
            {
                var line = bytes.Slice(i * rowBytes, rowBytes);
                if (plain && TFormat.PerWord == 8) TileWords.PlaceNibbles(MemoryMarshal.Cast<byte, uint>(line), weight, expert, row + i);
                else if (plain) TileWords.Place(MemoryMarshal.Cast<byte, uint>(line), weight, expert, row + i);
                else
                {
                    ReadCodes(module, line, codes.AsSpan(0, module.Columns));
                    weight.SetCodes(expert, row + i, codes);
                }
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(codes);
        }
    }

    private void SetScales(int expert, StoredModule module)
    {
        if (module.Scheme is QuantScheme.Dense) return;
        var zeros = ModuleValues.ReadZeroPoints(checkpoint, module);
        var zero = 1 << ((32 / TFormat.PerWord) - 1);
        var segments = weight.Layout.Segments;
        var blockRows = module.Scheme is QuantScheme.Fp8 fp8 ? fp8.BlockRows : 1;
        var count = checked((int)module.Scale!.Elements);
        var scales = ArrayPool<float>.Shared.Rent(count);
        try
        {
            ModuleValues.ReadScales(checkpoint, module, scales.AsSpan(0, count));
            for (var row = 0; row < module.Rows; row++)
            {
                weight.SetScales(expert, row, scales.AsSpan(row / blockRows * segments, segments), zeros is null
                    ? []
                    : zeros.AsSpan(row * segments, segments), zero);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scales);
        }
    }

    /// <summary>One row's codes as the unsigned numbers a tile holds.</summary>
    private static void ReadCodes(StoredModule module, ReadOnlySpan<byte> line, Span<uint> codes)
    {
        switch (module.Scheme)
        {
            case QuantScheme.PackedInt scheme:
                var shift = (1 << ((32 / TFormat.PerWord) - 1)) - (1 << (scheme.Bits - 1));
                PackedInt.UnpackUnsigned(MemoryMarshal.Cast<byte, int>(line), codes, scheme.Bits, scheme.DenseWords);
                if (shift != 0) foreach (ref var code in codes) code += (uint)shift;
                break;
            case QuantScheme.Fp8:
                for (var k = 0; k < codes.Length; k++) codes[k] = line[k];
                break;
            default:
                if (TFormat.PerWord == 1) MemoryMarshal.Cast<byte, uint>(line).CopyTo(codes);
                else for (var k = 0; k < codes.Length; k++) codes[k] = BitConverter.ToUInt16(line[(2 * k)..]);
                break;
        }
    }

    private static int Bits(StoredModule module) =>
        module.Scheme is QuantScheme.PackedInt scheme ? scheme.Bits : module.Weight.Type == Formats.Tensors.DType.F8E4M3 ? 8 : 32 / TFormat.PerWord;
}
