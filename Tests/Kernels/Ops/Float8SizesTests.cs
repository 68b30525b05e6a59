using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Tests.Kernels.Ops;

/// <summary>The tables that VBMI looks up, and what other AVX-512 processors compute instead.</summary>
public sealed class Float8SizesTests
{
    /// <summary>64 · |value| of a code of E4M3, what is behind the point cut off, by the format's definition.</summary>
    private static ushort Size(int code)
    {
        var (exponent, mantissa) = (code >> 3, code & 7);
        var value = exponent == 0 ? mantissa * Math.Pow(2, -9) : (8 + mantissa) * Math.Pow(2, exponent - 10);
        return (ushort)Math.Truncate(64 * value);
    }

    [Test]
    public void Tables_hold_the_size_of_every_code()
    {
        byte[] below = [.. Bytes(Float8Sizes.BelowOfLower), .. Bytes(Float8Sizes.BelowOfUpper)];
        byte[] above = [.. Bytes(Float8Sizes.AboveOfLower), .. Bytes(Float8Sizes.AboveOfUpper)];
        for (var code = 0; code < 128; code++) Assert.That(below[code] + (256 * above[code]), Is.EqualTo(Size(code)), $"code {code}");
    }

    [Test]
    public void What_is_computed_is_what_the_tables_hold()
    {
        if (!Avx512BW.IsSupported) Assert.Ignore("this machine does not execute AVX-512");
        for (var first = 0; first < 256; first += 32)
        {
            // The lower byte of a word is the code again, as unpacking leaves it.
            var codes = Vector512.Create([.. Enumerable.Range(first, 32).Select(code => (ushort)(code * 257))]);
            var sizes = Float8Sizes.Compute(codes);
            for (var i = 0; i < 32; i++) Assert.That(sizes[i], Is.EqualTo(Size((first + i) & 127)), $"code {first + i}");
        }
    }

    private static IEnumerable<byte> Bytes(Vector512<byte> vector) => Enumerable.Range(0, 64).Select(i => vector[i]);
}
