using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Weights;

/// <summary>Four rows of four words turned into four columns of them.</summary>
internal static class WordSquare
{
    /// <summary>Word j of row i becomes word i of row j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector128<uint> A, Vector128<uint> B, Vector128<uint> C, Vector128<uint> D) Transpose(Vector128<uint> a, Vector128<uint> b,
        Vector128<uint> c, Vector128<uint> d)
    {
        // a0 b0 a1 b1 | a2 b2 a3 b3, and so of c and d; then pairs of words.
        var (abLow, abHigh) = Interleave(a, b);
        var (cdLow, cdHigh) = Interleave(c, d);
        var (first, second) = Interleave(abLow.AsUInt64(), cdLow.AsUInt64());
        var (third, fourth) = Interleave(abHigh.AsUInt64(), cdHigh.AsUInt64());
        return (first.AsUInt32(), second.AsUInt32(), third.AsUInt32(), fourth.AsUInt32());
    }

    /// <summary>The elements of two vectors in turn: those of the lower halves, and those of the upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector128<T> Low, Vector128<T> High) Interleave<T>(Vector128<T> a, Vector128<T> b) where T : unmanaged
    {
        if (Sse2.IsSupported)
        {
            if (Unsafe.SizeOf<T>() == 1)
                return (Sse2.UnpackLow(a.AsByte(), b.AsByte()).As<byte, T>(), Sse2.UnpackHigh(a.AsByte(), b.AsByte()).As<byte, T>());
            if (Unsafe.SizeOf<T>() == 4)
                return (Sse2.UnpackLow(a.AsUInt32(), b.AsUInt32()).As<uint, T>(), Sse2.UnpackHigh(a.AsUInt32(), b.AsUInt32()).As<uint, T>());
            return (Sse2.UnpackLow(a.AsUInt64(), b.AsUInt64()).As<ulong, T>(), Sse2.UnpackHigh(a.AsUInt64(), b.AsUInt64()).As<ulong, T>());
        }
        if (AdvSimd.Arm64.IsSupported)
        {
            if (Unsafe.SizeOf<T>() == 1)
                return (AdvSimd.Arm64.ZipLow(a.AsByte(), b.AsByte()).As<byte, T>(), AdvSimd.Arm64.ZipHigh(a.AsByte(), b.AsByte()).As<byte, T>());
            if (Unsafe.SizeOf<T>() == 4)
                return (AdvSimd.Arm64.ZipLow(a.AsUInt32(), b.AsUInt32()).As<uint, T>(),
                    AdvSimd.Arm64.ZipHigh(a.AsUInt32(), b.AsUInt32()).As<uint, T>());
            return (AdvSimd.Arm64.ZipLow(a.AsUInt64(), b.AsUInt64()).As<ulong, T>(),
                AdvSimd.Arm64.ZipHigh(a.AsUInt64(), b.AsUInt64()).As<ulong, T>());
        }
        var (low, high, half) = (a, a, Vector128<T>.Count / 2);
        for (var i = 0; i < half; i++)
        {
            low = low.WithElement(2 * i, a[i]).WithElement((2 * i) + 1, b[i]);
            high = high.WithElement(2 * i, a[half + i]).WithElement((2 * i) + 1, b[half + i]);
        }
        return (low, high);
    }
}
