namespace Quilt.Formats.Tensors;

/// <summary>Bytes of a tensor, computed so that no shape can overflow its way past a check.</summary>
internal static class TensorSize
{
    /// <summary>Most dimensions a tensor may have here; the format itself sets no limit.</summary>
    public const int MaxRank = 8;

    /// <summary>Bytes of <paramref name="shape"/>; where there are none such, false and what is wrong in words.</summary>
    public static bool TryBytes(DType type, ReadOnlySpan<long> shape, out long bytes, out string problem)
    {
        bytes = 0;
        problem = "";
        var elements = 1UL;
        foreach (var dimension in shape)
        {
            var product = (UInt128)elements * (ulong)dimension;
            if (product > ulong.MaxValue) return Fail("its shape multiplies to more than 64 bits hold", out problem);
            elements = (ulong)product;
        }
        var bits = (UInt128)elements * (uint)type.BitSize();
        if (bits > ulong.MaxValue || bits / 8 > long.MaxValue) return Fail("its shape and type come to more bytes than 64 bits count", out problem);
        if (bits % 8 != 0) return Fail($"{elements} elements of {type.FileName()} are not whole bytes", out problem);
        bytes = (long)(bits / 8);
        return true;
    }

    private static bool Fail(string words, out string problem)
    {
        problem = words;
        return false;
    }
}
