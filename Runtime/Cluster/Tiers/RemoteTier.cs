using System.Buffers.Binary;
using System.IO.Hashing;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;
using StackExchange.Redis;

namespace Quilt.Cluster.Tiers;

/// <summary>
/// Images of blocks in a server that speaks RESP (Redis, Valkey, Garnet, ...), where other engines of the same model find them. Its own limit of
/// memory and its policy say what it keeps; nothing is ever deleted from here. A server that does not answer is a miss, and is left alone for a
/// while: half a second at first, twice as long each time it fails again, half a minute at most.
/// </summary>
/// <remarks>
/// A key is "quilt-kv:" and behind it the 32 bytes of the <see cref="KvSpace"/>'s digest and the 32 of the block's hash. A value is XxHash3 (8 bytes,
/// little-endian) of the key and the image, and the image: a value under another's key, cut off or damaged, is no image.
/// </remarks>
internal sealed class RemoteTier : KvTier
{
    /// <summary>Names that are remembered to be there, so that they are not sent again.</summary>
    private const int MostKnown = 1 << 16;

    private const int SumBytes = sizeof(ulong);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5), LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock access = new();
    private readonly ConfigurationOptions server;
    private readonly KvSpace space;
    private readonly TimeProvider time;
    private readonly SlotTable known = new(MostKnown);
    private readonly string name;
    private ConnectionMultiplexer? connection;
    private TimeSpan pause = FirstPause;
    private long quietUntil;                                 // a timestamp of time; 0: the server is in health
    private volatile string? warning;

    /// <summary>A tier in a server, which is first asked when it is first needed.</summary>
    /// <param name="url">As <see cref="RemoteAddress.Parse"/> reads it.</param>
    /// <param name="space">What its images are.</param>
    /// <param name="time">The clock of pauses; null: the system's.</param>
    /// <exception cref="ArgumentException">The URL cannot be read.</exception>
    public RemoteTier(string url, KvSpace space, TimeProvider? time = null)
    {
        (server, name) = RemoteAddress.Parse(url);
        (this.space, this.time) = (space, time ?? TimeProvider.System);
    }

    public override KvTierKind Kind => KvTierKind.Remote;

    public override string? Warning => warning;

    /// <summary>Whether the server is left alone for now.</summary>
    public bool IsQuiet => Volatile.Read(ref quietUntil) is > 0 and var until && time.GetTimestamp() < until;

    // While it is left alone, what is not there now may be sent by whoever computes it next.
    public override bool Holds(BlockHash hash) => known.Holds(hash) || IsQuiet;

    public override bool MayHold(BlockHash hash) => !IsQuiet;

    public override bool TryRead(BlockHash hash, Span<byte> image)
    {
        if (IsQuiet) return false;
        try
        {
            var key = KeyOf(hash);
            using var value = Database().StringGetLease(key);
            Answered();
            if (value is null || value.Length != SumBytes + image.Length
                || !Sum(key, value.Span[SumBytes..]).AsSpan().SequenceEqual(value.Span[..SumBytes]))
            {
                Forget(hash);
                return false;
            }
            value.Span[SumBytes..].CopyTo(image);
            Remember(hash);
            return true;
        }
        catch (Exception thrown) when (IsOfServer(thrown))
        {
            Failed(thrown);
            return false;
        }
    }

    public override void Write(BlockHash hash, ReadOnlySpan<byte> image)
    {
        if (Holds(hash)) return;
        try
        {
            var key = KeyOf(hash);
            var database = Database();
            if (!database.KeyExists(key))
            {
                var value = new byte[SumBytes + image.Length];
                Sum(key, image).CopyTo(value, 0);
                image.CopyTo(value.AsSpan(SumBytes));
                database.StringSet(key, value);
            }
            Answered();
            Remember(hash);
        }
        catch (Exception thrown) when (IsOfServer(thrown))
        {
            Failed(thrown);
        }
    }

    // What was used lately is the server's own to know: it was asked.
    public override void Touch(BlockHash hash)
    {
    }

    // What lies in the server is others' too.
    public override void Forget()
    {
    }

    public override void Dispose()
    {
        lock (access) connection?.Dispose();
    }

    private byte[] KeyOf(BlockHash hash)
    {
        var prefix = "quilt-kv:"u8;
        var key = new byte[prefix.Length + (2 * BlockHash.Size)];
        prefix.CopyTo(key);
        space.Digest.CopyTo(key.AsSpan(prefix.Length));
        hash.CopyTo(key.AsSpan(prefix.Length + BlockHash.Size));
        return key;
    }

    private static byte[] Sum(byte[] key, ReadOnlySpan<byte> image)
    {
        var hash = new XxHash3();
        hash.Append(key);
        hash.Append(image);
        var sum = new byte[SumBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(sum, hash.GetCurrentHashAsUInt64());
        return sum;
    }

    private IDatabase Database()
    {
        lock (access) return (connection ??= ConnectionMultiplexer.Connect(server)).GetDatabase();
    }

    private void Remember(BlockHash hash)
    {
        lock (access)
        {
            if (!known.TryFind(hash, out _)) known.Bind(known.Take(), hash);
        }
    }

    private void Forget(BlockHash hash)
    {
        lock (access)
        {
            if (known.TryFind(hash, out var slot)) known.Drop(slot);
        }
    }

    private void Answered()
    {
        if (Volatile.Read(ref quietUntil) == 0) return;
        lock (access) (quietUntil, pause, warning) = (0, FirstPause, null);
    }

    private void Failed(Exception thrown)
    {
        lock (access)
        {
            // Two threads may have met the same failure.
            if (IsQuiet) return;
            quietUntil = Math.Max(1, time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency));
            pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            warning = $"remote tier {name} does not answer and is asked again later: {thrown.Message}";
            // It may have lost what it had.
            known.Clear();
        }
    }

    private static bool IsOfServer(Exception thrown) => thrown is RedisException or TimeoutException or IOException or ObjectDisposedException
        or System.Net.Sockets.SocketException;
}
