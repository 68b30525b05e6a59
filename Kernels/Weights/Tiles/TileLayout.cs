namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Which column lies where in a tile. Columns are cut into segments that have one scale a row each; a segment is padded to the format's unit. Places
/// are counted over all segments, padding included; <see cref="Order"/> leads from a place to its column.
/// </summary>
internal sealed class TileLayout
{
    private TileLayout(int columns, int unit, int perWord, IReadOnlyList<int[]> segments)
    {
        Columns = columns;
        SegmentWords = new int[segments.Count];
        var order = new List<int>(columns);
        for (var s = 0; s < segments.Count; s++)
        {
            order.AddRange(segments[s]);
            while (order.Count % unit != 0) order.Add(-1);
            SegmentWords[s] = (order.Count / perWord) - SegmentWords[..s].Sum();
        }
        Order = [.. order];
        Words = order.Count / perWord;
        IsIdentity = Order.Length == columns && !Order.Where((column, place) => column != place).Any();
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
        var segments = new List<int[]>();
        for (var start = 0; start < columns; start += size) segments.Add([.. Enumerable.Range(start, Math.Min(size, columns - start))]);
        return new TileLayout(columns, TFormat.Unit, TFormat.PerWord, segments);
    }

    /// <summary>One segment a group, in which the columns of that group follow each other; groups without a column get an empty segment.</summary>
    public static TileLayout ByGroup<TFormat>(ReadOnlySpan<int> groupOfColumn, int groups) where TFormat : ITileFormat
    {
        var segments = new List<int>[groups];
        for (var g = 0; g < groups; g++) segments[g] = [];
        for (var column = 0; column < groupOfColumn.Length; column++) segments[groupOfColumn[column]].Add(column);
        return new TileLayout(groupOfColumn.Length, TFormat.Unit, TFormat.PerWord, [.. segments.Select(segment => segment.ToArray())]);
    }
}
