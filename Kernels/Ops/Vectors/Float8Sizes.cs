using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>
/// The sizes of FP8 E4M3 codes for AVX-512: 64 · |value|, what is behind the point cut off, for the 128 codes without sign. As tables of bytes, for
/// processors that look up a byte of 128 (VBMI), and computed.
/// </summary>
internal static class Float8Sizes
{
    /// <summary>The lower bytes for codes 0-63.</summary>
    public static Vector512<byte> BelowOfLower
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
            2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7,
            8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30,
            32, 36, 40, 44, 48, 52, 56, 60, 64, 72, 80, 88, 96, 104, 112, 120);
    }

    /// <summary>The lower bytes for codes 64-127.</summary>
    public static Vector512<byte> BelowOfUpper
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            (byte)128, 144, 160, 176, 192, 208, 224, 240, 0, 32, 64, 96, 128, 160, 192, 224,
            0, 64, 128, 192, 0, 64, 128, 192, 0, 128, 0, 128, 0, 128, 0, 128,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /// <summary>The upper bytes for codes 0-63.</summary>
    public static Vector512<byte> AboveOfLower
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /// <summary>The upper bytes for codes 64-127.</summary>
    public static Vector512<byte> AboveOfUpper
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
            2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7,
            8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30,
            32, 36, 40, 44, 48, 52, 56, 60, 64, 72, 80, 88, 96, 104, 112, 120);
    }

    /// <summary>The same of codes in the upper bytes of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Compute(Vector512<ushort> codes)
    {
        // (8 + m) · 2^11 moved down by 15 − e; exponent 0 leaves nothing, as is right for values below 2^−6.
        var mantissa = (Vector512.ShiftLeft(codes, 3) & Vector512.Create((ushort)0x3800)) | Vector512.Create((ushort)0x4000);
        var down = Vector512.AndNot(Vector512.Create((ushort)15), Vector512.ShiftRightLogical(codes, 11));
        return Avx512BW.ShiftRightLogicalVariable(mantissa, down).AsInt16();
    }
}
