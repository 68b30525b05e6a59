using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Where the columns of a matrix lie in a GPU tile. Segments (columns with one scale) follow each other, each padded to whole steps of sixteen
/// columns, and the whole to whole chunks; padding holds codes whose input is zero.
/// </summary>
internal sealed class GpuLayout
{
    /// <summary>Columns of a step.</summary>
    public const int Step = 16;

    /// <summary>The same segments as a CPU tile's, in chunks of <paramref name="chunkColumns"/>.</summary>
    public GpuLayout(TileLayout tile, int chunkColumns, int perWord)
    {
        var order = new List<int>(tile.Columns);
        var segments = new List<int>();
        var place = 0;
        for (var s = 0; s < tile.Segments; s++)
        {
            var end = place + (tile.SegmentWords[s] * perWord);
            for (; place < end; place++)
            {
                if (tile.Order[place] >= 0) order.Add(tile.Order[place]);
            }
            Pad(order, Step);
            while (segments.Count * Step < order.Count) segments.Add(s);
        }
        Pad(order, Math.Max(Step, chunkColumns));
        while (segments.Count * Step < order.Count) segments.Add(Math.Max(0, tile.Segments - 1));
        Order = [.. order];
        SegmentOfStep = [.. segments];
        Segments = tile.Segments;
        Chunks = Order.Length / chunkColumns;
        IsIdentity = Order.Length == tile.Columns && !Order.Where((column, at) => column != at).Any();

        // Fast kernels take scales as constant over a number of steps.
        var size = SegmentOfStep.Length / Math.Max(1, Segments);
        var even = SegmentOfStep.Select((segment, step) => segment == step / Math.Max(1, size)).All(same => same);
        SegmentShift = Segments <= 1 ? 31 : even && System.Numerics.BitOperations.IsPow2(size) ? System.Numerics.BitOperations.Log2((uint)size) : 0;
    }

    /// <summary>[places] the column at a place, −1 for padding.</summary>
    public int[] Order { get; }

    /// <summary>[steps] the segment that a step belongs to.</summary>
    public int[] SegmentOfStep { get; }

    /// <summary>Pieces of a row with one scale each.</summary>
    public int Segments { get; }

    /// <summary>Chunks of a tile.</summary>
    public int Chunks { get; }

    /// <summary>Columns and padding.</summary>
    public int Places => Order.Length;

    /// <summary>Whether the input can be used as it is.</summary>
    public bool IsIdentity { get; }

    /// <summary>Step s belongs to segment s >> this; 0 where segments are no power of two of steps, or a single one.</summary>
    public int SegmentShift { get; }

    private static void Pad(List<int> order, int unit)
    {
        while (order.Count % unit != 0) order.Add(-1);
    }
}
