using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Tests.Kernels.Weights;

/// <summary>A GPU's tiles made code by code, as <see cref="IGpuFormat"/> describes them: slow, and written to be read.</summary>
internal static unsafe class PlainGpuPacking
{
    /// <summary>
    /// Words [experts, tiles, chunks, 32 lanes, 4]; scales [experts, tiles, segments, 8, <paramref name="scaleWords"/>]; zero points [experts, tiles,
    /// segments, 8].
    /// </summary>
    public static (uint[] Words, uint[] Scales, uint[] Zeros) Pack<T, TFormat>(TiledWeight<TFormat> from, GpuLayout layout, int scaleWords)
        where T : struct, IGpuFormat where TFormat : struct, ITileFormat
    {
        var tiles = (from.Rows + 15) / 16;
        var words = new uint[from.Experts * tiles * layout.Chunks * 128];
        var scales = new uint[from.Experts * tiles * layout.Segments * 8 * scaleWords];
        var zeros = new uint[from.Experts * tiles * layout.Segments * 8];
        var codes = new uint[from.Columns];
        var (rowScales, rowZeros) = (new uint[layout.Segments], new byte[layout.Segments]);
        for (var row = 0; row < from.Experts * from.Rows; row++)
        {
            var (expert, r) = (row / from.Rows, row % from.Rows);
            var (tile, pair, half) = ((expert * tiles) + (r / 16), r & 7, (r >> 3) & 1);
            GetRow(from, expert, r, codes, rowScales, rowZeros);
            for (var place = 0; place < layout.Places; place++)
            {
                if (layout.Order[place] < 0) continue;
                var (chunk, column) = Math.DivRem(place, 256 / T.Bits);
                var (step, lane, i) = T.Bits == 32
                    ? (0, column >> 1, column & 1)
                    : (column >> 4, (column & 7) >> 1, (column & 1) + (2 * ((column & 15) >> 3)));
                words[(((((tile * layout.Chunks) + chunk) * 32) + (pair * 4) + lane) * 4) + T.Word(step, i, half)] |= codes[
                    layout.Order[place]] << T.Shift(step, i, half);
            }
            for (var s = 0; s < layout.Segments; s++)
            {
                var at = (((tile * layout.Segments) + s) * 8) + pair;
                if (scaleWords == 1) scales[at] |= (rowScales[s] >> 16) << (16 * half);
                else scales[(2 * at) + half] = rowScales[s];
                zeros[at] |= (uint)rowZeros[s] << (16 * half);
            }
        }
        return (words, scales, zeros);
    }

    /// <summary>Takes one row out of its tile: codes by column, the bits of float32 scales and zero points by segment.</summary>
    private static void GetRow<TFormat>(TiledWeight<TFormat> from, int expert, int row, uint[] codes, uint[] scales, byte[] zeros)
        where TFormat : struct, ITileFormat
    {
        var (view, layout) = (from.View, from.Layout);
        var tile = ((long)expert * view.Tiles) + (row / 16);
        var words = from.RowWords(expert, row, out var stride);
        var mask = TFormat.PerWord == 1 ? uint.MaxValue : (1u << (32 / TFormat.PerWord)) - 1;
        var place = 0;
        for (var s = 0; s < layout.Segments; s++)
        {
            var at = (((tile * layout.Segments) + s) * 16) + (row % 16);
            if (view.ScaleType == TileScales.BFloat16) scales[s] = (uint)((ushort*)view.Scales)[at] << 16;
            if (view.ScaleType == TileScales.Float32) scales[s] = ((uint*)view.Scales)[at];
            if (view.Zeros is not null) zeros[s] = view.Zeros[at];
            for (var w = 0; w < layout.SegmentWords[s]; w++, words += stride)
            {
                for (var n = 0; n < TFormat.PerWord; n++)
                {
                    var column = layout.Order[place + TFormat.WordColumn(w) + TFormat.CodeColumn(n)];
                    if (column >= 0) codes[column] = (*words >> (n * (32 / TFormat.PerWord))) & mask;
                }
            }
            place += layout.SegmentWords[s] * TFormat.PerWord;
        }
    }
}
