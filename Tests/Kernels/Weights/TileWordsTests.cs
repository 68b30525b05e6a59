using System.Runtime.InteropServices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Tests.Kernels.Weights;

/// <summary>Sixteen rows at a time go to the places that one row at a time does.</summary>
public sealed unsafe class TileWordsTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(21)]
    [TestCase(48)]
    public void Places_the_words_of_a_tile_as_row_by_row(int words)
    {
        Compare<Fp8Format>(words);
        Compare<BFloat16Format>(words);
        if (words % 4 == 0) Compare<Int4Format>(words);
    }

    [Test]
    public void Places_a_word_of_nibbles_where_the_format_says()
    {
        // Columns 0..31 of each row; code = (row + column) & 15.
        var from = new byte[16 * 16];
        for (var row = 0; row < 16; row++)
        {
            for (var column = 0; column < 32; column++) from[(row * 16) + (column / 2)] |= (byte)(((row + column) & 15) << (column % 2 * 4));
        }
        var tile = new uint[4 * 16];
        fixed (byte* rows = from)
        fixed (uint* to = tile) TileWords.PlaceTile<Int4Format>(rows, 16, to, 4);

        for (var row = 0; row < 16; row++)
        {
            for (var w = 0; w < 4; w++)
            {
                for (var n = 0; n < 8; n++)
                {
                    var column = Int4Format.WordColumn(w) + Int4Format.CodeColumn(n);
                    Assert.That((tile[(w * 16) + row] >> (4 * n)) & 15, Is.EqualTo((uint)((row + column) & 15)), $"row {row}, column {column}");
                }
            }
        }
    }

    [TestCase(1)]
    [TestCase(4)]
    [TestCase(63)]
    [TestCase(131)]
    public void Places_scales_by_segment_and_row(int segments)
    {
        var scales = new float[16 * segments];
        for (var i = 0; i < scales.Length; i++) scales[i] = BitConverter.UInt32BitsToSingle((uint)(0x3F80 + i) << 16);
        var (floats, halves) = (new uint[scales.Length], new ushort[scales.Length]);
        fixed (float* from = scales)
        fixed (uint* toFloats = floats)
        fixed (ushort* toHalves = halves)
        {
            ScaleTile.PlaceFloats((uint*)from, segments, toFloats);
            ScaleTile.PlaceHalves((uint*)from, segments, toHalves);
        }

        for (var row = 0; row < 16; row++)
        {
            for (var s = 0; s < segments; s++)
            {
                var bits = BitConverter.SingleToUInt32Bits(scales[(row * segments) + s]);
                Assert.That(floats[(s * 16) + row], Is.EqualTo(bits));
                Assert.That(halves[(s * 16) + row], Is.EqualTo(bits >> 16));
            }
        }
    }

    private static void Compare<TFormat>(int words) where TFormat : struct, ITileFormat
    {
        var from = new byte[16 * words * sizeof(uint)];
        new Random(words).NextBytes(from);
        var (together, alone) = (new uint[16 * words], new uint[16 * words]);
        var rowWords = MemoryMarshal.Cast<byte, uint>(from);
        fixed (byte* rows = from)
        fixed (uint* to = together, each = alone)
        {
            TileWords.PlaceTile<TFormat>(rows, words * sizeof(uint), to, words);
            for (var row = 0; row < 16; row++) TileWords.PlaceRow<TFormat>(rowWords.Slice(row * words, words), each + row);
        }
        Assert.That(together, Is.EqualTo(alone));
    }
}
