using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>In what precision keys and values are kept.</summary>
public enum KvType
{
    /// <summary>float32: exact.</summary>
    Float32,

    /// <summary>bfloat16: half the memory and traffic.</summary>
    BFloat16,
}

/// <summary>
/// The keys and values of one layer, in blocks of a fixed number of tokens.
/// Layout of each of the two arrays: [blocks, kvHeads, blockTokens, paddedDim]; paddedDim is headDim rounded up to 16, the padding is zero.
/// A <i>slot</i> is block · blockTokens + place in the block.
/// </summary>
internal sealed unsafe class KvLayer : IDisposable
{
    private readonly NativeBuffer keys;
    private readonly NativeBuffer values;

    /// <summary>Room for <paramref name="blocks"/> blocks, zeroed.</summary>
    public KvLayer(int blocks, int blockTokens, int kvHeads, int headDim, KvType type)
    {
        (Blocks, BlockTokens, KvHeads, HeadDim, Type) = (blocks, blockTokens, kvHeads, headDim, type);
        PaddedDim = (headDim + 15) & ~15;
        var bytes = (long)blocks * kvHeads * blockTokens * PaddedDim * (type == KvType.Float32 ? 4 : 2);
        keys = new NativeBuffer(bytes, zeroed: true);
        values = new NativeBuffer(bytes, zeroed: true);
    }

    public int Blocks { get; }

    public int BlockTokens { get; }

    public int KvHeads { get; }

    public int HeadDim { get; }

    /// <summary>Elements between the keys of neighbouring tokens.</summary>
    public int PaddedDim { get; }

    public KvType Type { get; }

    /// <summary>Bytes of keys and values together.</summary>
    public long Bytes => keys.Bytes + values.Bytes;

    public byte* Keys => keys.Data;

    public byte* Values => values.Data;

    public void Dispose()
    {
        keys.Dispose();
        values.Dispose();
    }
}
