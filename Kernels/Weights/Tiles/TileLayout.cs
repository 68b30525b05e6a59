namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Which column lies where in a tile. Columns are cut into segments that have one scale a row each; a segment is padded to the format's unit. Places
/// are counted over all segments, padding included; <see cref="Order"/> leads from a place to its column.
/// </summary>
internal sealed class TileLayout
{
    // Columns in the order of segments, and how many each segment has. Both ends of each segment are visited once: a row may have as many segments as
    // columns.
    private TileLayout(ReadOnlySpan<int> columns, ReadOnlySpan<int> sizes, int unit, int perWord, Func<int, int, int> placeOfCode)
    {
        Columns = columns.Length;
        SegmentWords = new int[sizes.Length];
        var order = new List<int>(columns.Length);
        var visits = new List<int>(columns.Length);
        var pieces = new List<TilePiece>();
        var (from, words) = (0, 0);
        for (var s = 0; s < sizes.Length; s++)
        {
            var first = order.Count;
            order.AddRange(columns.Slice(from, sizes[s]));
            while (order.Count % unit != 0) order.Add(-1);
            SegmentWords[s] = (order.Count / perWord) - words;
            for (var code = 0; code < order.Count - first; code++) visits.Add(first + placeOfCode(code / perWord, code % perWord));
            for (var at = first; at < order.Count; at += BlockCodes)
                pieces.Add(new(s, at, Math.Min(BlockCodes, order.Count - at), at == first, at + BlockCodes >= order.Count));
            (from, words) = (from + sizes[s], order.Count / perWord);
        }
        Order = [.. order];
        Visits = [.. visits];
        Pieces = [.. pieces];
        Words = words;
        IsIdentity = Order.Length == Columns && !Order.Where((column, place) => column != place).Any();
    }

    /// <summary>Most codes of a row that are turned into floats at a time: of two tiles they fill half of the nearest cache.</summary>
    public const int BlockCodes = 128;

    /// <summary>Columns of the matrix.</summary>
    public int Columns { get; }

    /// <summary>Places: columns and padding.</summary>
    public int Places => Order.Length;

    /// <summary>[places] the column at a place, −1 for padding.</summary>
    public int[] Order { get; }

    /// <summary>[places] the places in the order in which sums go through the codes: word after word, code after code.</summary>
    public int[] Visits { get; }

    /// <summary>The segments, cut into runs of <see cref="BlockCodes"/> at most.</summary>
    public TilePiece[] Pieces { get; }

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
        return new TileLayout(all, sizes, TFormat.Unit, TFormat.PerWord, PlaceOfCode<TFormat>);
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
        return new TileLayout(columns, sizes, TFormat.Unit, TFormat.PerWord, PlaceOfCode<TFormat>);
    }

    private static int PlaceOfCode<TFormat>(int word, int n) where TFormat : ITileFormat => TFormat.WordColumn(word) + TFormat.CodeColumn(n);
}

/// <summary>A run of a segment's codes.</summary>
/// <param name="Segment">Which segment.</param>
/// <param name="FirstCode">Codes of the row before it; a whole number of words.</param>
/// <param name="Codes">How many.</param>
/// <param name="Begins">Whether the segment begins with it.</param>
/// <param name="Ends">Whether the segment ends with it.</param>
internal readonly record struct TilePiece(int Segment, int FirstCode, int Codes, bool Begins, bool Ends);
