using System.Collections.Concurrent;
using System.Diagnostics;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Cluster.Transfer;

/// <summary>
/// The tier of a cache that other processes of the cluster are: it keeps images of what was computed here for them to fetch, and fetches from
/// them what a
/// request was said to have been computed for. Whatever does not come in time is computed.
/// </summary>
/// <param name="space">What its images are.</param>
/// <param name="exportBytes">Most bytes that are kept for others; 0: nothing is.</param>
/// <param name="inner">A tier behind it; null: none.</param>
internal sealed class PeerTier(KvSpace space, long exportBytes, KvTier? inner = null) : KvTier
{
    /// <summary>How long the next block may take to come.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>How long a block that was asked for may still be on its way from the cache to here.</summary>
    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(2);

    private readonly HostTier? exports = exportBytes >= space.ImageBytes ? new HostTier(space.ImageBytes, exportBytes) : null;
    private readonly ConcurrentDictionary<BlockHash, TaskCompletionSource<byte[]?>> expected = new();
    private readonly Lock gate = new();                      // against a door that still reads when the engine is closed
    private bool isClosed;
    private long fetched;
    private long sent;

    /// <summary>What its images are.</summary>
    public KvSpace Space => space;

    /// <summary>Blocks that came from others.</summary>
    public long Fetched => Volatile.Read(ref fetched);

    /// <summary>Blocks that went to others.</summary>
    public long Sent => Volatile.Read(ref sent);

    /// <inheritdoc/>
    public override KvTierKind Kind => KvTierKind.Remote;

    /// <inheritdoc/>
    public override string? Warning => inner?.Warning;

    /// <inheritdoc/>
    public override bool Holds(BlockHash hash) => (exports?.Holds(hash) ?? true) && (inner?.Holds(hash) ?? true);

    /// <inheritdoc/>
    public override bool MayHold(BlockHash hash) =>
        expected.ContainsKey(hash) || (exports?.MayHold(hash) ?? false) || (inner?.MayHold(hash) ?? false);

    /// <inheritdoc/>
    public override bool TryRead(BlockHash hash, Span<byte> image)
    {
        if (exports is not null && exports.TryRead(hash, image)) return true;
        if (expected.TryGetValue(hash, out var coming))
        {
            // On the tiers' own thread, which is there to wait.
            var bytes = coming.Task.Wait(Patience) ? coming.Task.Result : null;
            expected.TryRemove(new(hash, coming));
            if (bytes is not null)
            {
                bytes.CopyTo(image);
                Interlocked.Increment(ref fetched);
                return true;
            }
        }
        return inner?.TryRead(hash, image) ?? false;
    }

    /// <inheritdoc/>
    public override void Write(BlockHash hash, ReadOnlySpan<byte> image)
    {
        exports?.Write(hash, image);
        inner?.Write(hash, image);
    }

    /// <inheritdoc/>
    public override void Touch(BlockHash hash)
    {
        exports?.Touch(hash);
        inner?.Touch(hash);
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        exports?.Forget();
        inner?.Forget();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            exports?.Dispose();
        }
        inner?.Dispose();
    }

    /// <summary>Blocks that another process will be asked for; the first of <paramref name="hashes"/> that does not come ends it.</summary>
    /// <returns>The ones that somebody waits for now, in order.</returns>
    public IReadOnlyList<BlockHash> Expect(IEnumerable<BlockHash> hashes) =>
        [.. hashes.Where(hash => expected.TryAdd(hash, new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously)))];

    /// <summary>A block has come, or (null) will not.</summary>
    public void Came(BlockHash hash, byte[]? image)
    {
        if (expected.TryGetValue(hash, out var coming)) coming.TrySetResult(image);
    }

    /// <summary>Whoever has not taken a block by now will not.</summary>
    public void Forget(IEnumerable<BlockHash> hashes)
    {
        foreach (var hash in hashes)
        {
            if (expected.TryRemove(hash, out var coming)) coming.TrySetResult(null);
        }
    }

    /// <summary>Reads a block for another process; waits for one that has just been computed.</summary>
    public async Task<bool> ExportAsync(BlockHash hash, byte[] image, CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        while (!TryExport(hash, image, out var mayCome))
        {
            if (!mayCome || Stopwatch.GetElapsedTime(began) > Lag) return false;
            await Task.Delay(5, cancel).ConfigureAwait(false);
        }
        Interlocked.Increment(ref sent);
        return true;
    }

    private bool TryExport(BlockHash hash, byte[] image, out bool mayCome)
    {
        lock (gate)
        {
            mayCome = exports is not null && !isClosed;
            return mayCome && exports!.TryRead(hash, image);
        }
    }
}
