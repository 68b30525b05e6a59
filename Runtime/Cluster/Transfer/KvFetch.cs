using System.Buffers.Binary;
using System.Net.Sockets;
using Quilt.Cluster.Fabric;
using Quilt.Cluster.Replicas;
using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Transfer;

/// <summary>Fetches the blocks of a prompt from the process that has computed it, while the request waits for them one by one.</summary>
internal static class KvFetch
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60), Keep = TimeSpan.FromSeconds(30);

    /// <summary>Begins; what does not come, for whatever reason, is told as missing.</summary>
    /// <param name="tier">Where they go.</param>
    /// <param name="hashes">The prompt's blocks, in order.</param>
    /// <param name="source">Who has them.</param>
    /// <param name="key">The cluster's key; null: there is none.</param>
    public static void Begin(PeerTier tier, IReadOnlyList<BlockHash> hashes, KvSource source, string? key)
    {
        var wanted = tier.Expect(hashes.Take(Math.Min(source.Blocks, KvFrame.MostWanted)));
        if (wanted.Count > 0) _ = RunAsync(tier, wanted, source, key);
    }

    private static async Task RunAsync(PeerTier tier, IReadOnlyList<BlockHash> wanted, KvSource source, string? key)
    {
        try
        {
            using var limit = new CancellationTokenSource(Limit);
            await FetchAsync(tier, wanted, source, key, limit.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever keeps them from coming, they are computed.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        foreach (var hash in wanted) tier.Came(hash, null);
        await Task.Delay(Keep).ConfigureAwait(false);
        tier.Forget(wanted);
    }

    private static async Task FetchAsync(PeerTier tier, IReadOnlyList<BlockHash> wanted, KvSource source, string? key, CancellationToken cancel)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(source.Host, source.Port, cancel).ConfigureAwait(false);
        var pipe = new KvPipe(client.GetStream());
        if (key is not null && !await new PeerHandshake(key).CallAsync(pipe, cancel).ConfigureAwait(false)) return;
        var hello = new byte[KvFrame.HashBytes + sizeof(uint)];
        tier.Space.Digest.CopyTo(hello);
        BinaryPrimitives.WriteUInt32LittleEndian(hello.AsSpan(KvFrame.HashBytes), (uint)tier.Space.ImageBytes);
        await pipe.WriteFrameAsync(KvFrameKind.Hello, hello, default, cancel).ConfigureAwait(false);
        if (await pipe.ReadFrameAsync(tier.Space.ImageBytes, cancel).ConfigureAwait(false) is not { Kind: KvFrameKind.Welcome }) return;
        await pipe.WriteFrameAsync(KvFrameKind.Want, BlockList.Write(wanted), default, cancel).ConfigureAwait(false);
        foreach (var hash in wanted)
        {
            if (await pipe.ReadFrameAsync(tier.Space.ImageBytes, cancel).ConfigureAwait(false) is not { Kind: KvFrameKind.Block } frame) return;
            if (BlockHash.From(frame.Payload.AsSpan(0, KvFrame.HashBytes)) != hash)
                throw new BadFrameException("expected the block that was asked for");
            tier.Came(hash, frame.Payload[KvFrame.HashBytes..]);
        }
    }
}
