namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Which column lies where in a tile. Columns are cut into segments that have one scale a row each; a segment is padded to the format's unit. Places
/// are counted over all segments, padding included; <see cref="Order"/> leads from a place to its column.
/// </summary>
internal sealed class TileLayout
{
    // Columns in the order of segments, and how many each segment has. Both ends of each segment are visited once: a row may have as many segments as
    // columns.
    private TileLayout(ReadOnlySpan<int> columns, ReadOnlySpan<int> sizes, int unit, int perWord)
    {
        Columns = columns.Length;
        SegmentWords = new int[sizes.Length];
        var order = new List<int>(columns.Length);
        var (from, words) = (0, 0);
        for (var s = 0; s < sizes.Length; s++)
        {
            order.AddRange(columns.Slice(from, sizes[s]));
            while (order.Count % unit != 0) order.Add(-1);
            SegmentWords[s] = (order.Count / perWord) - words;
            (from, words) = (from + sizes[s], order.Count / perWord);
        }
        Order = [.. order];
        Words = words;
        IsIdentity = Order.Length == Columns && !Order.Where((column, place) => column != place).Any();
    }

    /// <summary>Columns of the matrix.</summary>
    public int Columns { get; }

    /// <summary>Places: columns and padding.</summary>
    public int Places => Order.Length;

    /// <summary>[places] the column at a place, −1 for padding.</summary>
    public int[] Order { get; }

    /// <summary>True if every place holds the column of its number: the input can be used as it is.</summary>
    public bool IsIdentity { get; }

    /// <summary>[segments] words of each.</summary>
    public int[] SegmentWords { get; }

    /// <summary>Pieces of a row with one scale each.</summary>
    public int Segments => SegmentWords.Length;

    /// <summary>Words of a row.</summary>
    public int Words { get; }

    /// <summary>Segments of <paramref name="size"/> columns each, the last one shorter if need be.</summary>
    public static TileLayout Even<TFormat>(int columns, int size) where TFormat : ITileFormat
    {
        int[] all = [.. Enumerable.Range(0, columns)];
        var sizes = new int[(columns / size) + (columns % size == 0 ? 0 : 1)];
        Array.Fill(sizes, size);
        if (columns % size != 0) sizes[^1] = columns % size;
        return new TileLayout(all, sizes, TFormat.Unit, TFormat.PerWord);
    }

    /// <summary>One segment a group, in which the columns of that group follow each other; groups without a column get an empty segment.</summary>
    public static TileLayout ByGroup<TFormat>(ReadOnlySpan<int> groupOfColumn, int groups) where TFormat : ITileFormat
    {
        var sizes = new int[groups];
        foreach (var group in groupOfColumn) sizes[group]++;
        var next = new int[groups];
        for (var g = 1; g < groups; g++) next[g] = next[g - 1] + sizes[g - 1];
        var columns = new int[groupOfColumn.Length];
        for (var column = 0; column < columns.Length; column++) columns[next[groupOfColumn[column]]++] = column;
        return new TileLayout(columns, sizes, TFormat.Unit, TFormat.PerWord);
    }
}
