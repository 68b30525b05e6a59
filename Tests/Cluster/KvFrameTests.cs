using System.Buffers;
using System.Buffers.Binary;
using CsCheck;
using Quilt.Cluster.Transfer;

namespace Quilt.Tests.Cluster;

/// <summary>Frames between KV doors: what is written is read, and nothing that anybody can send does more than end its connection.</summary>
public sealed class KvFrameTests
{
    private const int ImageBytes = 64;
    private static readonly int[] Lengths = [0, 1, 32, 36, 64, 96, 4096, 4097 * 32, int.MaxValue];

    [Test]
    public void What_is_written_is_read_however_it_comes() => Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[ImageBytes], Gen.Int[0, 20])
        .Sample((hash, image, cut) =>
        {
            var bytes = Written(KvFrameKind.Block, hash, image);
            var parts = Split(bytes, cut);
            Assert.That(KvFrame.Read(parts, ImageBytes, out var frame), Is.EqualTo(bytes.Length));
            Assert.That(frame.Kind, Is.EqualTo(KvFrameKind.Block));
            Assert.That(frame.Payload.ToArray(), Is.EqualTo((byte[])[.. hash, .. image]));
        }, iter: 2000);

    [Test]
    public void A_frame_that_is_not_whole_is_waited_for()
    {
        var bytes = Written(KvFrameKind.Block, new byte[32], new byte[ImageBytes]);
        for (var length = 0; length < bytes.Length; length++)
            Assert.That(KvFrame.Read(new ReadOnlySequence<byte>(bytes, 0, length), ImageBytes, out _), Is.Zero);
    }

    [Test]
    public void Any_bit_that_is_turned_is_noticed()
    {
        var bytes = Written(KvFrameKind.Want, new byte[64], []);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(ReadsAsFrame(bytes), Is.False, $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.That(ReadsAsFrame(bytes), Is.True);
    }

    [Test]
    public void A_length_that_no_frame_has_is_refused_before_its_bytes_are_waited_for()
    {
        var bytes = Written(KvFrameKind.Block, new byte[32], new byte[ImageBytes]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), uint.MaxValue);
        Assert.Throws<BadFrameException>(() => KvFrame.Read(new ReadOnlySequence<byte>(bytes, 0, KvFrame.HeaderBytes), ImageBytes, out _));
    }

    [Test]
    public void A_million_hostile_frames_end_their_connection_and_nothing_else()
    {
        var random = new Random(15);
        var good = Enum.GetValues<KvFrameKind>().Select(Good).ToArray();
        var buffer = new byte[5000];
        var (read, refused, waited) = (0, 0, 0);
        for (var i = 0; i < 1_000_000; i++)
        {
            var length = Hostile(random, good[random.Next(good.Length)], buffer);
            try
            {
                var taken = KvFrame.Read(new ReadOnlySequence<byte>(buffer, 0, length), ImageBytes, out var frame);
                if (taken < 0 || taken > length) Assert.Fail($"{taken} bytes of {length}");
                if (taken > 0 && frame.Payload.Length != taken - KvFrame.HeaderBytes) Assert.Fail($"a payload of {frame.Payload.Length} in {taken}");
                if (taken > 0) read++;
                else waited++;
            }
            catch (BadFrameException)
            {
                refused++;
            }
        }
        // Of each kind there were some, or this looked at nothing.
        Assert.That(new[] { read, refused, waited }, Is.All.GreaterThan(1000));
    }

    // Bits turned, fields overwritten, cut, lengthened, or noise from the start.
    private static int Hostile(Random random, byte[] frame, byte[] buffer)
    {
        frame.CopyTo(buffer, 0);
        var length = frame.Length;
        switch (random.Next(6))
        {
            case 0:
                for (var turns = random.Next(1, 4); turns > 0; turns--) buffer[random.Next(length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(8), Lengths[random.Next(Lengths.Length)]);
                break;
            case 2:
                length = random.Next(length);
                break;
            case 3:
                random.NextBytes(buffer.AsSpan(length, 100));
                length += random.Next(100);
                break;
            case 4:
                length = random.Next(buffer.Length);
                random.NextBytes(buffer.AsSpan(0, length));
                break;
            default:
                buffer[4] = (byte)random.Next(256);
                break;
        }
        return length;
    }

    private static byte[] Good(KvFrameKind kind) => kind switch
    {
        KvFrameKind.Hello => Written(kind, new byte[32], new byte[4]),
        KvFrameKind.Welcome => Written(kind, [], []),
        KvFrameKind.Want => Written(kind, new byte[96], []),
        KvFrameKind.Block => Written(kind, new byte[32], new byte[ImageBytes]),
        _ => Written(kind, new byte[32], []),
    };

    private static bool ReadsAsFrame(byte[] bytes)
    {
        try
        {
            return KvFrame.Read(new ReadOnlySequence<byte>(bytes), ImageBytes, out _) > 0;
        }
        catch (BadFrameException)
        {
            return false;
        }
    }

    private static byte[] Written(KvFrameKind kind, byte[] first, byte[] second)
    {
        var to = new ArrayBufferWriter<byte>();
        KvFrame.Write(to, kind, first, second);
        return to.WrittenSpan.ToArray();
    }

    private static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        var first = new Part(bytes.AsMemory(0, at), 0);
        return new ReadOnlySequence<byte>(first, 0, first.Then(bytes.AsMemory(at)), bytes.Length - at);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Part Then(ReadOnlyMemory<byte> memory)
        {
            var next = new Part(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
