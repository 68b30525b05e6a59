using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Quilt.Formats.Numerics;

namespace Quilt.Quantizer.Numerics;

/// <summary><see cref="Fp8BlockQuantizer"/> for one row at a time, 32 weights at once, to the same bits.</summary>
internal static class Fp8Row<T> where T : struct, IPrecision
{
    private const int Step = 32;

    /// <summary>Raises the largest magnitude of each block to that of this row.</summary>
    public static void Widen(ReadOnlySpan<float> row, int blockColumns, Span<float> largest)
    {
        for (var b = 0; b < largest.Length; b++)
        {
            var start = b * blockColumns;
            var part = row[start..Math.Min(start + blockColumns, row.Length)];
            largest[b] = MathF.Max(largest[b], MathF.Abs(TensorPrimitives.MaxMagnitude(part)));
        }
    }

    /// <summary>The codes of a row by the scales of its blocks.</summary>
    public static void Encode(ReadOnlySpan<float> row, int blockColumns, ReadOnlySpan<float> scales, Span<byte> codes)
    {
        for (var b = 0; b < scales.Length; b++)
        {
            var start = b * blockColumns;
            var part = row[start..Math.Min(start + blockColumns, row.Length)];
            var into = codes.Slice(start, part.Length);
            ref var first = ref MemoryMarshal.GetReference(part);
            var scale = Vector256.Create(scales[b]);
            var j = 0;
            for (; j <= part.Length - Step; j += Step)
            {
                var low = Vector256.Narrow(Codes(ref first, j, scale), Codes(ref first, j + 8, scale));
                var high = Vector256.Narrow(Codes(ref first, j + 16, scale), Codes(ref first, j + 24, scale));
                Vector256.Narrow(low, high).CopyTo(into[j..]);
            }
            for (; j < part.Length; j++) into[j] = Fp8BlockQuantizer.Code<T>(part[j], scales[b]);
        }
    }

    // Float8E4M3.Encode of eight quotients: three ranges of magnitudes, then the sign. Quotients are no NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Codes(ref float values, int at, Vector256<float> scale)
    {
        var bits = T.Round(Vector256.LoadUnsafe(ref values, (nuint)at) / scale).AsInt32();
        var sign = (bits >>> 24) & Vector256.Create(0x80);
        var magnitude = bits & Vector256.Create(0x7FFF_FFFF);
        var odd = (magnitude >>> 20) & Vector256<int>.One;
        var rounded = ((magnitude + Vector256.Create(0x7_FFFF) + odd) >>> 20) - Vector256.Create((127 - 7) << 3);
        var subnormal = (magnitude.AsSingle() + Vector256.Create(16384f)).AsInt32() - Vector256.Create(0x4680_0000);
        var finite = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(0x3C80_0000)), subnormal, rounded);
        var large = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x43E0_0000));
        var code = Vector256.ConditionalSelect(large, Vector256.Create(0x7E), finite);
        return (code | sign).AsUInt32();
    }
}
