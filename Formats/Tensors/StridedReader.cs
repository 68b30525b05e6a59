using System.Buffers;
using System.Runtime.InteropServices;

namespace Quilt.Formats.Tensors;

/// <summary>
/// Reads a tensor that is cut out of a larger one (<see cref="TensorEntry.Strides"/>) as if it lay row-major: one read of all that it spans, then a
/// gather.
/// </summary>
internal static class StridedReader
{
    /// <summary>
    /// Fills <paramref name="into"/> with whole rows of a tensor of one or two dimensions, from byte <paramref name="start"/> of its row-major form.
    /// </summary>
    /// <exception cref="BadInputException">The file has become shorter, or the disk failed.</exception>
    public static void Read(SafeTensorsFile file, TensorEntry entry, Span<byte> into, long start)
    {
        var size = entry.Type.BitSize() / 8;
        var strides = entry.Strides!;
        var (columns, across) = ((int)entry.Shape[^1], strides[^1]);
        var down = strides.Length == 2 ? strides[0] : 0;
        var (first, beside) = Math.DivRem(start / size, columns);
        var (rows, rest) = Math.DivRem(into.Length / size, columns);
        if (beside != 0 || rest != 0) throw new ArgumentException($"{entry.Name}: only whole rows can be read of a part of a tensor.", nameof(start));

        var span = ((rows - 1) * down) + ((columns - 1) * across) + 1;
        var bytes = ArrayPool<byte>.Shared.Rent(checked((int)(span * size)));
        try
        {
            var all = bytes.AsSpan(0, (int)(span * size));
            file.Read(entry with { Strides = null, Offset = entry.Offset + (first * down * size), Length = all.Length }, all);
            if (size == 2) Gather(MemoryMarshal.Cast<byte, ushort>(all), MemoryMarshal.Cast<byte, ushort>(into), columns, (int)down, (int)across);
            else if (size == 4) Gather(MemoryMarshal.Cast<byte, uint>(all), MemoryMarshal.Cast<byte, uint>(into), columns, (int)down, (int)across);
            else throw new ArgumentException($"{entry.Name}: a part of a tensor has elements of 2 or 4 bytes, not of {size}.", nameof(entry));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    // A few columns of all rows at a time: where columns lie far apart and rows beside each other, as in a transposed tensor, every cache line is
    // then used while it is there.
    private static void Gather<T>(ReadOnlySpan<T> from, Span<T> into, int columns, int down, int across)
    {
        const int Block = 16;
        var rows = into.Length / columns;
        for (var first = 0; first < columns; first += Block)
        {
            var end = Math.Min(first + Block, columns);
            for (var row = 0; row < rows; row++)
            {
                var to = into[(row * columns)..];
                for (var c = first; c < end; c++) to[c] = from[(row * down) + (c * across)];
            }
        }
    }
}
