using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Quilt.Formats.Numerics;

namespace Quilt.Quantizer.Numerics;

/// <summary>
/// <see cref="GroupQuantizer"/> for one row at a time, eight weights at once, to the same bits. Codes go into 32-bit words as pack-quantized has
/// them: offset binary, lowest bits first.
/// </summary>
internal static class GroupRow<T> where T : struct, IPrecision
{
    private static readonly int Lanes = Vector256<float>.Count;

    /// <summary>The scale of each group and, where <paramref name="zeros"/> is not empty, its zero point.</summary>
    public static void FindScales(ReadOnlySpan<float> row, int group, int bits, Span<float> scales, Span<sbyte> zeros)
    {
        for (var g = 0; g < scales.Length; g++)
        {
            var part = row.Slice(g * group, group);
            if (zeros.IsEmpty)
            {
                scales[g] = GroupQuantizer.Symmetric<T>(MathF.Abs(TensorPrimitives.MaxMagnitude(part)), bits);
                continue;
            }
            var (min, max) = (Math.Min(TensorPrimitives.Min(part), 0), Math.Max(TensorPrimitives.Max(part), 0));
            (scales[g], zeros[g]) = GroupQuantizer.Asymmetric<T>(min, max, bits);
        }
    }

    /// <summary>The codes of a row by scales and, where there are any, zero points.</summary>
    /// <param name="row">Values of <typeparamref name="T"/>.</param>
    /// <param name="group">Columns of a group.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="scales">One a group.</param>
    /// <param name="zeros">One a group, or none.</param>
    /// <param name="words">As many as the row takes; what is behind the last code becomes 0.</param>
    public static void Pack(ReadOnlySpan<float> row, int group, int bits, ReadOnlySpan<float> scales, ReadOnlySpan<sbyte> zeros, Span<uint> words)
    {
        words.Clear();
        for (var g = 0; g < scales.Length; g++)
        {
            var (start, zero) = (g * group, zeros.IsEmpty ? (sbyte)0 : zeros[g]);
            // Eight codes fill whole words, of four bits one and of eight bits two, if they begin at one.
            var j = start % Lanes == 0 ? PackEights(row.Slice(start, group), bits, scales[g], zero, !zeros.IsEmpty, words[(start * bits / 32)..]) : 0;
            for (; j < group; j++)
            {
                var code = (uint)(GroupQuantizer.Code<T>(row[start + j], scales[g], zero, bits) + (1 << (bits - 1)));
                words[(start + j) * bits / 32] |= code << ((start + j) * bits % 32);
            }
        }
    }

    private static int PackEights(ReadOnlySpan<float> group, int bits, float scale, sbyte zero, bool shifted, Span<uint> words)
    {
        var (low, high) = (Vector256.Create(-(float)(1 << (bits - 1))), Vector256.Create((1 << (bits - 1)) - 1f));
        var middle = Vector256.Create(1 << (bits - 1));
        var (scales, zeros) = (Vector256.Create(scale), Vector256.Create((float)zero));
        // A code's place in its word, as a factor.
        var places = bits == 4
            ? Vector256.Create(1u, 1u << 4, 1u << 8, 1u << 12, 1u << 16, 1u << 20, 1u << 24, 1u << 28)
            : Vector256.Create(1u, 1u << 8, 1u << 16, 1u << 24, 1u, 1u << 8, 1u << 16, 1u << 24);
        ref var first = ref MemoryMarshal.GetReference(group);
        var j = 0;
        for (; j <= group.Length - Lanes; j += Lanes)
        {
            var t = T.Round(Vector256.LoadUnsafe(ref first, (nuint)j) / scales);
            if (shifted) t = T.Round(t + zeros);
            var codes = Vector256.ConvertToInt32(Vector256.Round(Vector256.Min(Vector256.Max(t, low), high))) + middle;
            var placed = codes.AsUInt32() * places;
            if (bits == 4) words[j / Lanes] = Vector256.Sum(placed);
            else (words[j / 4], words[(j / 4) + 1]) = (Vector128.Sum(placed.GetLower()), Vector128.Sum(placed.GetUpper()));
        }
        return j;
    }
}
