using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace Quilt.Cluster.Transfer;

/// <summary>Kinds of frames.</summary>
internal enum KvFrameKind : byte
{
    /// <summary>
    /// The first of a connection, from the one that connects: which blocks it will ask for. Payload: 32 bytes of the space's digest, u32 bytes of
    /// an image.
    /// </summary>
    Hello = 1,

    /// <summary>The answer to it: the space is known. No payload.</summary>
    Welcome = 2,

    /// <summary>Asks for blocks, in order. Payload: 32 bytes of each one's hash, 1 to <see cref="KvFrame.MostWanted"/>.</summary>
    Want = 3,

    /// <summary>A block. Payload: 32 bytes of its hash, its image.</summary>
    Block = 4,

    /// <summary>A block that is not there. Payload: 32 bytes of its hash.</summary>
    Missing = 5,
}

/// <summary>
/// What goes over a connection between two KV doors, behind the handshake. A frame is, little-endian: u32 0x31564B51 ("QKV1"), u8 kind, three
/// zero bytes,
/// u32 bytes of the payload, u64 XxHash3 of kind, length and payload; then the payload. Whatever is otherwise ends the connection it came by.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Payload">What it carries; valid until the reader goes on.</param>
internal readonly record struct KvFrame(KvFrameKind Kind, ReadOnlySequence<byte> Payload)
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderBytes = 20;

    /// <summary>Most blocks that one frame asks for.</summary>
    public const int MostWanted = 4096;

    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = 32;

    private const uint Magic = 0x31564B51;
    private const int KindAt = 4, LengthAt = 8, SumAt = 12;

    /// <summary>Reads the frame at the beginning of what has come.</summary>
    /// <param name="bytes">What has come.</param>
    /// <param name="imageBytes">Bytes of an image here: no payload may be longer than such a block, or a frame that wants most.</param>
    /// <param name="frame">The frame.</param>
    /// <returns>Bytes it took; 0: it has not come whole.</returns>
    /// <exception cref="BadFrameException">It is none.</exception>
    public static int Read(ReadOnlySequence<byte> bytes, int imageBytes, out KvFrame frame)
    {
        frame = default;
        if (bytes.Length < HeaderBytes) return 0;
        Span<byte> head = stackalloc byte[HeaderBytes];
        bytes.Slice(0, HeaderBytes).CopyTo(head);
        if (BinaryPrimitives.ReadUInt32LittleEndian(head) != Magic) throw new BadFrameException("expected a frame, found other bytes");
        var kind = (KvFrameKind)head[KindAt];
        if (head[5] != 0 || head[6] != 0 || head[7] != 0) throw new BadFrameException("expected three zero bytes behind the kind");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(head[LengthAt..]);
        // Checked before anything of that length is waited for.
        if (!Fits(kind, length, imageBytes)) throw new BadFrameException($"kind {(byte)kind}: expected a length that it may have, found {length}");
        if (bytes.Length < HeaderBytes + length) return 0;
        var payload = bytes.Slice(HeaderBytes, length);
        if (Sum(head, payload) != BinaryPrimitives.ReadUInt64LittleEndian(head[SumAt..])) throw new BadFrameException("expected another checksum");
        frame = new KvFrame(kind, payload);
        return HeaderBytes + (int)length;
    }

    /// <summary>Writes a frame whose payload is two parts, one behind the other.</summary>
    public static void Write(IBufferWriter<byte> to, KvFrameKind kind, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        var length = first.Length + second.Length;
        var bytes = to.GetSpan(HeaderBytes + length)[..(HeaderBytes + length)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[KindAt..], (byte)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[LengthAt..], (uint)length);
        first.CopyTo(bytes[HeaderBytes..]);
        second.CopyTo(bytes[(HeaderBytes + first.Length)..]);
        var hash = new XxHash3();
        hash.Append(bytes[KindAt..SumAt]);
        hash.Append(bytes[HeaderBytes..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[SumAt..], hash.GetCurrentHashAsUInt64());
        to.Advance(HeaderBytes + length);
    }

    private static bool Fits(KvFrameKind kind, uint length, int imageBytes) => kind switch
    {
        KvFrameKind.Hello => length == HashBytes + sizeof(uint),
        KvFrameKind.Welcome => length == 0,
        KvFrameKind.Want => length is >= HashBytes and <= MostWanted * HashBytes && length % HashBytes == 0,
        KvFrameKind.Block => length == HashBytes + (uint)imageBytes,
        KvFrameKind.Missing => length == HashBytes,
        _ => false,
    };

    private static ulong Sum(ReadOnlySpan<byte> head, ReadOnlySequence<byte> payload)
    {
        var hash = new XxHash3();
        hash.Append(head[KindAt..SumAt]);
        foreach (var part in payload) hash.Append(part.Span);
        return hash.GetCurrentHashAsUInt64();
    }
}

/// <summary>What came is no frame: whoever sent it is heard no more.</summary>
internal sealed class BadFrameException(string problem) : IOException($"KV transfer: {problem}");
