using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Quilt.Cluster.Fabric;
using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Transfer;

/// <summary>
/// Hands out blocks of this process to others of the cluster, on a socket of its own: behind the handshake of the cluster's key where there is
/// one, and
/// never on an address that others reach without it. What one connection does wrong ends that connection.
/// </summary>
internal sealed class KvDoor : IDisposable
{
    private const int MostConnections = 256;
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(2);

    private readonly TcpListener listener;
    private readonly PeerHandshake? handshake;
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<BlockHash, PeerTier> tiers = new();
    private int connections;
    private long refused;

    /// <summary>A door that is open.</summary>
    /// <exception cref="ArgumentException">Others reach the address, and there is no key.</exception>
    public KvDoor(IPAddress address, string? key)
    {
        if (!IPAddress.IsLoopback(address) && key is null)
            throw new ArgumentException($"Key: expected a key beside an address that others reach, found {address} without one.");
        handshake = key is null ? null : new PeerHandshake(key);
        listener = new TcpListener(address, 0);
        listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it is.</summary>
    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>Connections that were ended because of what they sent.</summary>
    public long Refused => Volatile.Read(ref refused);

    /// <summary>Hands out a tier's blocks.</summary>
    public void Add(PeerTier tier) => tiers[tier.Space.Digest] = tier;

    /// <summary>Hands them out no more.</summary>
    public void Remove(PeerTier tier) => tiers.TryRemove(new(tier.Space.Digest, tier));

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        closing.Cancel();
        listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!closing.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(closing.Token).ConfigureAwait(false);
                if (Interlocked.Increment(ref connections) <= MostConnections) _ = ServeAsync(client);
                else Leave(client);
            }
            catch (Exception thrown) when (thrown is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                if (thrown is not SocketException) return;
            }
        }
    }

    private void Leave(TcpClient client)
    {
        client.Dispose();
        Interlocked.Decrement(ref connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            client.NoDelay = true;
            await ServeAsync(new KvPipe(client.GetStream())).ConfigureAwait(false);
        }
        catch (BadFrameException)
        {
            Interlocked.Increment(ref refused);
        }
#pragma warning disable CA1031 // Whatever a connection does, it ends and the others go on.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        finally
        {
            Leave(client);
        }
    }

    private async Task ServeAsync(KvPipe pipe)
    {
        if (handshake is not null && !await handshake.AnswerAsync(pipe, closing.Token).ConfigureAwait(false))
            throw new BadFrameException("expected the cluster's key, found another");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        limit.CancelAfter(Idle);
        PeerTier? tier = null;
        while (await pipe.ReadFrameAsync(tier?.Space.ImageBytes ?? 0, limit.Token).ConfigureAwait(false) is { } frame)
        {
            limit.CancelAfter(Idle);
            if (tier is null)
            {
                if (frame.Kind != KvFrameKind.Hello) throw new BadFrameException("expected a greeting first");
                var digest = BlockHash.From(frame.Payload.AsSpan(0, KvFrame.HashBytes));
                // Another model, another layout, another build: nothing of it would be of use.
                if (!tiers.TryGetValue(digest, out tier)
                    || tier.Space.ImageBytes != BinaryPrimitives.ReadUInt32LittleEndian(frame.Payload.AsSpan(KvFrame.HashBytes))) return;
                await pipe.WriteFrameAsync(KvFrameKind.Welcome, default, default, limit.Token).ConfigureAwait(false);
                continue;
            }
            if (frame.Kind != KvFrameKind.Want) throw new BadFrameException("expected a question for blocks");
            await SendAsync(pipe, tier, frame.Payload, limit).ConfigureAwait(false);
        }
    }

    // In order, and no further than the first that is not there: without it the others are of no use.
    private static async Task SendAsync(KvPipe pipe, PeerTier tier, byte[] wanted, CancellationTokenSource limit)
    {
        var image = new byte[tier.Space.ImageBytes];
        for (var at = 0; at < wanted.Length; at += KvFrame.HashBytes)
        {
            var hash = wanted.AsMemory(at, KvFrame.HashBytes);
            if (!await tier.ExportAsync(BlockHash.From(hash.Span), image, limit.Token).ConfigureAwait(false))
            {
                await pipe.WriteFrameAsync(KvFrameKind.Missing, hash, default, limit.Token).ConfigureAwait(false);
                return;
            }
            await pipe.WriteFrameAsync(KvFrameKind.Block, hash, image, limit.Token).ConfigureAwait(false);
            limit.CancelAfter(Idle);
        }
    }
}
