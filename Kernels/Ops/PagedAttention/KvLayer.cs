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
/// The keys and values of one layer, in blocks of a fixed number of tokens. A <i>slot</i> is block · blockTokens + place in the block.
/// Values lie as [blocks, kvHeads, blockTokens, paddedDim]; paddedDim is headDim rounded up to 16, the padding is zero.
/// Keys lie as [blocks, kvHeads, groups, headDim, 16]: sixteen tokens of a block are a group, in which the same dimension of all sixteen stands
/// together, so that one vector holds sixteen scores and no dot product has to be folded. A block whose tokens are no multiple of 16 leaves the rest
/// of its last group unused.
/// </summary>
internal sealed unsafe class KvLayer : IDisposable
{
    /// <summary>Tokens whose keys stand together.</summary>
    public const int GroupTokens = 16;

    private readonly NativeBuffer keys;
    private readonly NativeBuffer values;

    /// <summary>
    /// Room for <paramref name="blocks"/> blocks, zeroed, in the memory of <paramref name="device"/> (null: the host's). On a GPU the layout is
    /// <see cref="GpuKv"/>'s.
    /// </summary>
    public KvLayer(int blocks, int blockTokens, int kvHeads, int headDim, KvType type, Device? device = null)
    {
        (Blocks, BlockTokens, KvHeads, HeadDim, Type) = (blocks, blockTokens, kvHeads, headDim, type);
        PaddedDim = (headDim + 15) & ~15;
        Groups = (blockTokens + GroupTokens - 1) / GroupTokens;
        ElementBytes = type == KvType.Float32 ? 4 : 2;
        if (device is GpuDevice gpu)
        {
            Gpu = new GpuKv(gpu, blocks, blockTokens, kvHeads, headDim, type);
            (keys, values) = (new NativeBuffer(0), new NativeBuffer(0));
            return;
        }
        keys = new NativeBuffer((long)blocks * kvHeads * Groups * GroupTokens * headDim * ElementBytes, zeroed: true);
        values = new NativeBuffer((long)blocks * kvHeads * blockTokens * PaddedDim * ElementBytes, zeroed: true);
    }

    public int Blocks { get; }

    public int BlockTokens { get; }

    public int KvHeads { get; }

    public int HeadDim { get; }

    /// <summary>Elements between the values of neighbouring tokens.</summary>
    public int PaddedDim { get; }

    /// <summary>Groups of keys in a block.</summary>
    public int Groups { get; }

    /// <summary>4 or 2.</summary>
    public int ElementBytes { get; }

    public KvType Type { get; }

    /// <summary>The cache on a GPU; null where it lies in the host's memory.</summary>
    public GpuKv? Gpu { get; }

    /// <summary>Bytes of keys and values together.</summary>
    public long Bytes => Gpu?.Bytes ?? keys.Bytes + values.Bytes;

    public byte* Keys => keys.Data;

    public byte* Values => values.Data;

    /// <summary>
    /// Element index in <see cref="Keys"/> of dimension 0 of the first token of a group; dimension d of token t follows at 16 · d + t.
    /// </summary>
    public long KeyGroup(int block, int head, int group) => ((((long)block * KvHeads) + head) * Groups + group) * HeadDim * GroupTokens;

    /// <summary>Element index in <see cref="Values"/> of dimension 0 of a token of a block.</summary>
    public long ValueRow(int block, int head, int place) => ((((long)block * KvHeads) + head) * BlockTokens + place) * PaddedDim;

    public void Dispose()
    {
        Gpu?.Dispose();
        keys.Dispose();
        values.Dispose();
    }
}
