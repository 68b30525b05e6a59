using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>How integer codes are packed: bits of a code, and whether codes straddle words (3, 5, 6, 7 bits since compressed-tensors 0.18).</summary>
internal readonly record struct PackedLayout(int Bits, bool Dense)
{
    /// <summary>Words that so many codes of one line take.</summary>
    public long Words(long count) => PackedInt.Words(Bits, count, Dense);

    /// <summary>
    /// The layout of a tensor of words for so many columns. The config gives the bits; only without one does the number of words.
    /// </summary>
    /// <exception cref="BadInputException">The number of words is not what such codes take, or does not tell.</exception>
    public static PackedLayout Of(TensorEntry packed, int columns, QuantArgs? told)
    {
        var words = packed.Shape[1];
        if (told is not null)
        {
            PackedLayout older = new(told.Bits, false), newer = new(told.Bits, true);
            var (fits, fitsNewer) = (older.Words(columns) == words, newer.Words(columns) == words);
            if (32 % told.Bits == 0 ? fits : fits && !fitsNewer) return older;
            if (fitsNewer && !fits) return newer;
            throw ModuleTensors.Bad(packed, fits
                ? $"holds {told.Bits}-bit codes in one of two layouts that cannot be told apart at {columns} columns"
                : $"expected [{packed.Shape[0]}, {older.Words(columns)}] for {columns} codes of {told.Bits} bits, which {told.Group} of the config " +
                    $"says, found {packed.ShapeText}");
        }

        var fitting = Enumerable.Range(1, 8).SelectMany(bits => new PackedLayout[] { new(bits, false), new(bits, true) })
            .Where(layout => layout.Words(columns) == words && !(layout.Dense && 32 % layout.Bits == 0)).ToList();
        // The usual widths first; others only if nothing else takes this number of words.
        foreach (var usual in (int[])[4, 8, 2, 1])
        {
            if (fitting.Contains(new(usual, false))) return new(usual, false);
        }
        return fitting.Count switch
        {
            1 => fitting[0],
            0 => throw ModuleTensors.Bad(packed, $"expected a number of words that {columns} codes of 1 to 8 bits take, found {packed.ShapeText}"),
            _ => throw ModuleTensors.Bad(packed,
                $"may hold codes of {string.Join(" or ", fitting.Select(layout => layout.Bits).Distinct())} bits in {packed.ShapeText}, and the " +
                "config does not tell which"),
        };
    }
}
