using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Kv;

/// <summary>
/// The one form in which a block leaves a <see cref="KvStore"/> and comes back: what tiers keep and machines send each other. An image is, for each
/// layer in order, the block's keys and then its values, as <see cref="KvLayer"/> lays them out in the host's memory, little-endian:
/// keys [kvHeads, groups, headDim, 16], then values [kvHeads, blockTokens, paddedDim], in the elements of the cache's type. In FP8 the 16 scales of a
/// group of keys stand behind its codes, and the scales of a head's values, blockTokens of them rounded up to 16, behind the codes of that head.
/// Nothing is converted on the way, so that what comes back is what was there, to the bit.
/// </summary>
internal sealed unsafe class KvImage
{
    private readonly KvStore store;
    private readonly int layers;
    private readonly int keyBytes;                           // of a block in one layer
    private readonly int valueBytes;

    /// <summary>Images of the blocks of a store.</summary>
    /// <exception cref="NotSupportedException">Its layers lie in the memory of a GPU.</exception>
    public KvImage(KvStore store, int layers)
    {
        var first = store[0];
        if (first.Gpu is not null)
            throw new NotSupportedException("Images of cache blocks: expected a cache in the host's memory (device cpu), found one on a GPU.");
        (this.store, this.layers) = (store, layers);
        keyBytes = checked(first.KvHeads * first.Groups * first.KeyGroupSize * first.ElementBytes);
        valueBytes = checked(first.KvHeads * first.ValueBlockSize * first.ElementBytes);
        Bytes = checked(layers * (keyBytes + valueBytes));
    }

    /// <summary>Bytes of an image.</summary>
    public int Bytes { get; }

    /// <summary>Copies a block out of the store.</summary>
    /// <param name="block">The block; no step is writing it.</param>
    /// <param name="image">[<see cref="Bytes"/>].</param>
    public void Read(int block, Span<byte> image)
    {
        Check(block, image.Length);
        for (var i = 0; i < layers; i++)
        {
            Keys(i, block).CopyTo(image);
            Values(i, block).CopyTo(image[keyBytes..]);
            image = image[(keyBytes + valueBytes)..];
        }
    }

    /// <summary>Copies a block into the store.</summary>
    /// <param name="block">The block; no step reads or writes it.</param>
    /// <param name="image">[<see cref="Bytes"/>].</param>
    public void Write(int block, ReadOnlySpan<byte> image)
    {
        Check(block, image.Length);
        for (var i = 0; i < layers; i++)
        {
            image[..keyBytes].CopyTo(Keys(i, block));
            image.Slice(keyBytes, valueBytes).CopyTo(Values(i, block));
            image = image[(keyBytes + valueBytes)..];
        }
    }

    // All heads of a block stand together, the first one first.
    private Span<byte> Keys(int layer, int block) =>
        new(store[layer].Keys + (store[layer].KeyGroup(block, 0, 0) * store[layer].ElementBytes), keyBytes);

    private Span<byte> Values(int layer, int block) =>
        new(store[layer].Values + (store[layer].ValueRow(block, 0, 0) * store[layer].ElementBytes), valueBytes);

    private void Check(int block, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)store.Layout.Blocks, nameof(block));
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes, Bytes);
    }
}
