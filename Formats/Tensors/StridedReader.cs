using System.Buffers;

namespace Quilt.Formats.Tensors;

/// <summary>Reads a tensor that is cut out of a larger one (<see cref="TensorEntry.Strides"/>) as if it lay row-major: one read of all that it spans, then a gather.</summary>
internal static class StridedReader
{
    /// <summary>Fills <paramref name="into"/> with whole rows of a tensor of one or two dimensions, from byte <paramref name="start"/> of its row-major form.</summary>
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
            for (var row = 0; row < rows; row++)
            {
                for (var c = 0; c < columns; c++) all.Slice((int)((row * down) + (c * across)) * size, size).CopyTo(into[(((row * columns) + c) * size)..]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
