using System.Buffers;
using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Makes 8-bit integers in groups of 32 columns of a wider weight: half of bfloat16's bytes, each value at most half a 127th of its group's largest
/// off. An item is a tile of rows.
/// </summary>
internal readonly struct EightBitRounding : IJob
{
    private const int Group = 32;
    private const int RowsAnItem = 16;
    private readonly Weight from;
    private readonly Int8GroupWeight into;

    private EightBitRounding(Weight from, Int8GroupWeight into) => (this.from, this.into) = (from, into);

    /// <summary>Bytes that a rounded weight takes.</summary>
    public static long Bytes(int rows, int columns) => (rows + 15L) / 16 * 16 * ((columns + 3L) / 4 * 4 + ((columns + Group - 1L) / Group * 2));

    /// <summary>The rounded weight; <paramref name="from"/> stays.</summary>
    public static Weight Of(CpuDevice device, Weight from)
    {
        var layout = TileLayout.Even<Int8Format>(from.Columns, Group);
        var into = new Int8GroupWeight(from.Name, from.Experts, from.Rows, from.Columns, layout, Group, TileScales.BFloat16, zeroPoints: false);
        try
        {
            var job = new EightBitRounding(from, into);
            device.Pool.Run((from.Rows + RowsAnItem - 1) / RowsAnItem * from.Experts, ref job);
            return into;
        }
        catch
        {
            into.Dispose();
            throw;
        }
    }

    public void Execute(int item)
    {
        var tiles = (from.Rows + RowsAnItem - 1) / RowsAnItem;
        var (expert, first) = (item / tiles, item % tiles * RowsAnItem);
        var values = ArrayPool<float>.Shared.Rent(from.Columns);
        var codes = ArrayPool<uint>.Shared.Rent(from.Columns);
        var scales = ArrayPool<float>.Shared.Rent(into.Layout.Segments);
        try
        {
            for (var row = first; row < Math.Min(first + RowsAnItem, from.Rows); row++)
            {
                from.Dequantize(expert, row, values.AsSpan(0, from.Columns));
                Round(values.AsSpan(0, from.Columns), codes, scales);
                into.SetRow(expert, row, codes.AsSpan(0, from.Columns), scales.AsSpan(0, into.Layout.Segments), []);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(values);
            ArrayPool<uint>.Shared.Return(codes);
            ArrayPool<float>.Shared.Return(scales);
        }
    }

    private static void Round(ReadOnlySpan<float> values, Span<uint> codes, Span<float> scales)
    {
        for (var start = 0; start < values.Length; start += Group)
        {
            var group = values.Slice(start, Math.Min(Group, values.Length - start));
            var largest = 0f;
            foreach (var value in group) largest = Math.Max(largest, Math.Abs(value));
            var scale = BFloat16.Round(largest / 127);
            scales[start / Group] = scale;
            for (var k = 0; k < group.Length; k++)
                codes[start + k] = scale == 0 ? 128u : (uint)(128 + (int)Math.Clamp(MathF.Round(group[k] / scale), -127, 127));
        }
    }
}
