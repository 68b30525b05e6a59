using System.Collections.Concurrent;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// The tiers behind a cache, the nearest first, and the two threads that work for them: one reads what requests wait for, the other writes what steps
/// have computed. The engine's thread asks and hands over, and never waits here.
/// </summary>
internal sealed class KvTiers : IDisposable
{
    /// <summary>Most bytes of images that wait to be written.</summary>
    private const long MostWaiting = 64 << 20;

    private readonly KvTier[] tiers;
    private readonly KvImage image;
    private readonly Lock readGate = new();                  // only against forgetting: each thread has its own
    private readonly Lock writeGate = new();
    private readonly BlockingCollection<TierLoad> loads = [];
    private readonly BlockingCollection<(BlockHash Hash, byte[]? Image)> writes = [];
    private readonly ConcurrentDictionary<BlockHash, bool> writing = new();
    private readonly ConcurrentBag<byte[]> buffers = [];
    private readonly Thread reader;
    private readonly Thread writer;
    private Action<TierLoad> loaded = static _ => { };
    private Action freed = static () => { };
    private int left;                                        // buffers that may still be made
    private volatile bool isWanted;                          // somebody went without a buffer
    private volatile string? failure;

    /// <summary>Tiers that belong to the new one, for the blocks of a store.</summary>
    public KvTiers(KvImage image, params KvTier[] tiers)
    {
        (this.image, this.tiers) = (image, tiers);
        left = (int)Math.Clamp(MostWaiting / image.Bytes, 2, 256);
        reader = new Thread(Read) { IsBackground = true, Name = "quilt-kv-read" };
        writer = new Thread(Write) { IsBackground = true, Name = "quilt-kv-write" };
    }

    /// <summary>Begins to work.</summary>
    /// <param name="whenLoaded">Told of every load that has ended, on the reading thread.</param>
    /// <param name="whenFreed">Told, on the writing thread, that there is a buffer again for who was refused one.</param>
    public void Start(Action<TierLoad> whenLoaded, Action whenFreed)
    {
        (loaded, freed) = (whenLoaded, whenFreed);
        reader.Start();
        writer.Start();
    }

    /// <summary>What the tiers' owner should know.</summary>
    public IEnumerable<string> Warnings
    {
        get
        {
            foreach (var tier in tiers)
            {
                if (tier.Warning is { } warning) yield return warning;
            }
            if (failure is { } thrown) yield return thrown;
        }
    }

    /// <summary>Images that are not written yet.</summary>
    public int Unwritten => writing.Count;

    /// <summary>Whether it is worth asking for a block.</summary>
    public bool MayHold(BlockHash hash)
    {
        foreach (var tier in tiers)
        {
            if (tier.MayHold(hash)) return true;
        }
        return false;
    }

    /// <summary>Starts a load.</summary>
    public void Load(TierLoad load) => loads.Add(load);

    /// <summary>
    /// Offers a block, which no step is writing: it is copied and will be written into every tier that has it not. False: too much waits to be
    /// written; there will be another time.
    /// </summary>
    public bool TryOffer(BlockHash hash, int block)
    {
        if (writing.ContainsKey(hash)) return true;
        if (HaveAll(hash))
        {
            writes.Add((hash, null));
            return true;
        }
        if (!TryRent(out var buffer)) return false;
        image.Read(block, buffer);
        writing[hash] = true;
        writes.Add((hash, buffer));
        return true;
    }

    /// <summary>Forgets what the tiers of this process hold. What waits to be written is forgotten too.</summary>
    public void Forget()
    {
        lock (readGate)
        {
            lock (writeGate)
            {
                while (writes.TryTake(out var one)) Done(one);
                foreach (var tier in tiers) tier.Forget();
            }
        }
    }

    /// <summary>Ends the threads; what was offered is written before.</summary>
    public void Dispose()
    {
        loads.CompleteAdding();
        writes.CompleteAdding();
        if (reader.IsAlive) reader.Join();
        if (writer.IsAlive) writer.Join();
        foreach (var tier in tiers) tier.Dispose();
        loads.Dispose();
        writes.Dispose();
    }

    private bool HaveAll(BlockHash hash)
    {
        foreach (var tier in tiers)
        {
            if (!tier.Holds(hash)) return false;
        }
        return true;
    }

    private bool TryRent(out byte[] buffer)
    {
        if (buffers.TryTake(out buffer!)) return true;
        if (left > 0)
        {
            left--;
            buffer = GC.AllocateUninitializedArray<byte>(image.Bytes, pinned: true);
            return true;
        }
        isWanted = true;
        // One may have come back before it was known that it is wanted.
        return buffers.TryTake(out buffer!);
    }

    private void Read()
    {
        var buffer = GC.AllocateUninitializedArray<byte>(image.Bytes, pinned: true);
        foreach (var load in loads.GetConsumingEnumerable())
        {
            Guard(() => Fill(load, buffer));
            loaded(load);
        }
    }

    private void Fill(TierLoad load, byte[] buffer)
    {
        var first = load.Table.Count - load.Hashes.Length;
        for (var i = 0; i < load.Hashes.Length && !loads.IsAddingCompleted; i++)
        {
            KvTierKind kind;
            lock (readGate)
            {
                if (load.IsAbandoned || !TryRead(load.Hashes[i], buffer, out kind)) return;
            }
            image.Write(load.Table[first + i], buffer);
            load.Found.Add(kind);
        }
    }

    private bool TryRead(BlockHash hash, byte[] buffer, out KvTierKind kind)
    {
        for (var i = 0; i < tiers.Length; i++)
        {
            kind = tiers[i].Kind;
            if (!tiers[i].MayHold(hash) || !tiers[i].TryRead(hash, buffer)) continue;
            // What is asked for once is asked for again: nearer tiers have it from now on.
            for (var nearer = 0; nearer < i; nearer++) tiers[nearer].Write(hash, buffer);
            return true;
        }
        kind = default;
        return false;
    }

    private void Write()
    {
        foreach (var one in writes.GetConsumingEnumerable())
        {
            Guard(() =>
            {
                lock (writeGate) Write(one.Hash, one.Image);
            });
            Done(one);
        }
    }

    private void Write(BlockHash hash, byte[]? bytes)
    {
        foreach (var tier in tiers)
        {
            if (bytes is null || tier.Holds(hash)) tier.Touch(hash);
            else tier.Write(hash, bytes);
        }
    }

    private void Done((BlockHash Hash, byte[]? Image) one)
    {
        if (one.Image is null) return;
        writing.TryRemove(one.Hash, out _);
        buffers.Add(one.Image);
        if (!isWanted) return;
        isWanted = false;
        freed();
    }

    // A tier throws nothing; if one does all the same, its block is missing and the others go on.
    private void Guard(Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // As above: it would end the process.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            failure ??= $"a tier of the cache failed and was passed over: {thrown.Message}";
        }
    }
}
