using Quilt.Runtime;
using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Fabric;

/// <summary>What changes in an engine's prefix cache, for the directory. The engine's thread writes, one other reads.</summary>
internal sealed class BlockFeed
{
    /// <summary>Changes that are kept; where more come between two announcements, all of the cache is told.</summary>
    private const int Most = 1 << 18;

    private readonly Lock gate = new();
    private readonly Engine engine;
    private readonly Dictionary<BlockHash, bool> changes = [];
    private long sequence = -1;
    private bool all = true;

    private BlockFeed(Engine engine) => this.engine = engine;

    /// <summary>A feed of an engine, in the place of any before.</summary>
    public static async Task<BlockFeed> OpenAsync(Engine engine)
    {
        var feed = new BlockFeed(engine);
        await engine.Core.WatchBlocksAsync(feed.Add).ConfigureAwait(false);
        return feed;
    }

    /// <summary>The next time all of the cache is told.</summary>
    public void Restart()
    {
        lock (gate) all = true;
    }

    /// <summary>What has changed since the last time.</summary>
    public async Task<BlockChanges> TakeAsync()
    {
        bool whole;
        lock (gate) whole = all;
        if (whole)
        {
            lock (gate)
            {
                (all, sequence) = (false, 0);
                changes.Clear();
            }
            // On the engine's thread, between two changes: none is missed, and one that is told twice does no harm.
            var hashes = await engine.Core.WatchBlocksAsync(Add).ConfigureAwait(false);
            return new BlockChanges(0, BlockList.Write(hashes), []);
        }
        lock (gate)
        {
            var taken = new BlockChanges(++sequence, Bytes(stored: true), Bytes(stored: false));
            changes.Clear();
            return taken;
        }
    }

    private byte[] Bytes(bool stored) => BlockList.Write([.. changes.Where(change => change.Value == stored).Select(change => change.Key)]);

    private void Add(BlockHash hash, bool isStored)
    {
        lock (gate)
        {
            changes[hash] = isStored;
            if (changes.Count < Most) return;
            changes.Clear();
            all = true;
        }
    }
}
