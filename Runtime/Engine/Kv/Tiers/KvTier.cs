namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// A place behind the cache that keeps images of blocks (<see cref="KvImage"/>) of one <see cref="KvSpace"/> under their hashes. It may forget any of
/// them at any time; what it gives back is what was written, or nothing. Whatever goes wrong in it is a miss: none of its members throws.
/// One thread reads, another writes; the two questions come from the engine's thread and are answered from memory.
/// </summary>
internal abstract class KvTier : IDisposable
{
    /// <summary>Which one it is.</summary>
    public abstract KvTierKind Kind { get; }

    /// <summary>What it has to say that its owner should know, such as that it became smaller; null: nothing.</summary>
    public abstract string? Warning { get; }

    /// <summary>Whether it is known to have an image, so that it need not be written.</summary>
    public abstract bool Holds(BlockHash hash);

    /// <summary>Whether it is worth asking for an image.</summary>
    public virtual bool MayHold(BlockHash hash) => Holds(hash);

    /// <summary>Reads an image; false where there is none, or none that is whole. What is then in <paramref name="image"/> is of no use.</summary>
    public abstract bool TryRead(BlockHash hash, Span<byte> image);

    /// <summary>Keeps an image, if it can.</summary>
    public abstract void Write(BlockHash hash, ReadOnlySpan<byte> image);

    /// <summary>Takes note that an image was used elsewhere, so that it is worth keeping.</summary>
    public abstract void Touch(BlockHash hash);

    /// <summary>Forgets all images that are this process' own to forget.</summary>
    public abstract void Forget();

    public abstract void Dispose();
}
