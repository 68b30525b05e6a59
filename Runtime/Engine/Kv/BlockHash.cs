using System.Runtime.InteropServices;

namespace Quilt.Runtime.Kv;

/// <summary>
/// The name of a block of tokens and of all that stands before it: a SHA-256 (<see cref="BlockHasher"/>). Kept as four machine words, which compare
/// and find their place in a table at once.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct BlockHash(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 32;

    /// <summary>Takes 32 bytes as they came out of SHA-256.</summary>
    public static BlockHash From(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<BlockHash>(bytes);

    /// <summary>The 32 bytes.</summary>
    public void CopyTo(Span<byte> bytes) => MemoryMarshal.Write(bytes, in this);

    /// <summary>The last 64 bits as a big-endian number, as vLLM's cache events carry it.</summary>
    public ulong Low64 => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(D);

    // Any part of a SHA-256 is as good as another.
    public override int GetHashCode() => (int)A;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
