using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Quilt.Runtime.Kv;

/// <summary>
/// Names blocks of tokens in a chain: SHA-256 over the canonical CBOR (RFC 8949, 4.2.1) of [parent's hash, [tokens], null or [extra keys]], which is
/// vLLM's sha256_cbor, so that any process agrees on them. The parent of a first block is the hash of a seed.
/// </summary>
internal static class BlockHasher
{
    /// <summary>Most bytes that the extra keys of a block may take.</summary>
    public const int MostKeyBytes = 4096;

    private const int Unsigned = 0, ByteString = 2 << 5, TextString = 3 << 5, List = 4 << 5, Null = 0xF6;

    /// <summary>The parent of first blocks under vLLM's PYTHONHASHSEED=0.</summary>
    public static BlockHash DefaultRoot { get; } = Root("0");

    /// <summary>The parent of first blocks.</summary>
    /// <param name="seed">At most <see cref="MostKeyBytes"/> bytes of UTF-8.</param>
    public static BlockHash Root(string seed)
    {
        Span<byte> message = stackalloc byte[MostKeyBytes + 9];
        return Hash(message[..PutText(message, 0, seed)]);
    }

    /// <summary>The hash of a block.</summary>
    /// <param name="parent">The block before it, or <see cref="Root"/>.</param>
    /// <param name="tokens">Its tokens; none is negative.</param>
    /// <param name="keys">What sets it apart beside its tokens, at most <see cref="MostKeyBytes"/> together; mostly nothing.</param>
    public static BlockHash Next(BlockHash parent, ReadOnlySpan<int> tokens, ReadOnlySpan<string> keys = default)
    {
        var most = 64 + (5 * tokens.Length) + (keys.IsEmpty ? 0 : MostKeyBytes + (9 * keys.Length));
        var message = most <= 8192 ? stackalloc byte[most] : new byte[most];
        var at = PutHead(message, 0, List, 3);
        at = PutHead(message, at, ByteString, BlockHash.Size);
        parent.CopyTo(message[at..]);
        at = PutHead(message, at + BlockHash.Size, List, tokens.Length);
        foreach (var token in tokens) at = PutHead(message, at, Unsigned, token);
        if (keys.IsEmpty)
        {
            message[at++] = Null;
            return Hash(message[..at]);
        }
        at = PutHead(message, at, List, keys.Length);
        foreach (var key in keys) at = PutText(message, at, key);
        return Hash(message[..at]);
    }

    private static BlockHash Hash(ReadOnlySpan<byte> message)
    {
        Span<byte> hash = stackalloc byte[BlockHash.Size];
        SHA256.HashData(message, hash);
        return BlockHash.From(hash);
    }

    private static int PutText(Span<byte> to, int at, string text)
    {
        at = PutHead(to, at, TextString, Encoding.UTF8.GetByteCount(text));
        return at + Encoding.UTF8.GetBytes(text, to[at..]);
    }

    // Canonical: the shortest form that holds the number.
    private static int PutHead(Span<byte> to, int at, int kind, int value)
    {
        Debug.Assert(value >= 0, "block hash: a negative number");
        if (value < 24)
        {
            to[at] = (byte)(kind | value);
            return at + 1;
        }
        if (value <= byte.MaxValue)
        {
            (to[at], to[at + 1]) = ((byte)(kind | 24), (byte)value);
            return at + 2;
        }
        if (value <= ushort.MaxValue)
        {
            to[at] = (byte)(kind | 25);
            BinaryPrimitives.WriteUInt16BigEndian(to[(at + 1)..], (ushort)value);
            return at + 3;
        }
        to[at] = (byte)(kind | 26);
        BinaryPrimitives.WriteUInt32BigEndian(to[(at + 1)..], (uint)value);
        return at + 5;
    }
}
