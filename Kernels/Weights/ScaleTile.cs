using System.Runtime.Intrinsics;

namespace Quilt.Kernels.Weights;

/// <summary>
/// The scales of a tile's 16 rows, from [16, segments] as files have them to [segments, 16] as tiles do. Values are the bits of float32.
/// </summary>
internal static unsafe class ScaleTile
{
    private const int Rows = 16;

    /// <summary>To float32.</summary>
    public static void PlaceFloats(uint* from, int segments, uint* to) =>
        TileWords.PlaceTile<Tiles.Float32Format>((byte*)from, segments * sizeof(uint), to, segments);

    /// <summary>To bfloat16, which has the upper half of the bits.</summary>
    public static void PlaceHalves(uint* from, int segments, ushort* to)
    {
        const int Most = 64;
        var words = stackalloc uint[Most * Rows];
        for (var first = 0; first < segments; first += Most)
        {
            var count = Math.Min(Most, segments - first);
            TileWords.PlaceTile<Tiles.Float32Format>((byte*)(from + first), segments * sizeof(uint), words, count);
            for (var i = 0; i < count * Rows; i += 8)
            {
                var halves = Vector128.Narrow(Vector128.Load(words + i) >>> 16, Vector128.Load(words + i + 4) >>> 16);
                halves.Store(to + (first * Rows) + i);
            }
        }
    }
}
