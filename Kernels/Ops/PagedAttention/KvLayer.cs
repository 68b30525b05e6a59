using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>In what precision keys and values are kept.</summary>
public enum KvType
{
    /// <summary>float32: exact.</summary>
    Float32,

    /// <summary>bfloat16: half the memory and traffic.</summary>
    BFloat16,

    /// <summary>
    /// float8 E4M3: a quarter. Each key and each value of a head has a power of two of its own as scale, so that what is kept of a token depends on
    /// nothing but the token; where the checkpoint brings scales, keys and values of a layer have one each instead.
    /// </summary>
    Fp8,
}

/// <summary>
/// The keys and values of one layer, in blocks of a fixed number of tokens. A <i>slot</i> is block · blockTokens + place in the block.
/// Values lie as [blocks, kvHeads, blockTokens, paddedDim]; paddedDim is headDim rounded up to 16, the padding is zero.
/// Keys lie as [blocks, kvHeads, groups, headDim, 16]: sixteen tokens of a block are a group, in which the same dimension of all sixteen stands
/// together, so that one vector holds sixteen scores and no dot product has to be folded. A block whose tokens are no multiple of 16 leaves the rest
/// of its last group unused.
/// </summary>
/// <remarks>
/// In FP8 an element is a byte, and scales (<see cref="Fp8Row"/>), a byte a token, stand behind what they belong to: 16 behind the headDim · 16 codes
/// of a group of keys, and blockTokens rounded up to 16 behind the blockTokens · paddedDim codes of a head's values in a block. What attention reads
/// of a group lies together.
/// </remarks>
internal sealed unsafe class KvLayer : IDisposable
{
    /// <summary>Tokens whose keys stand together.</summary>
    public const int GroupTokens = 16;

    private readonly NativeBuffer keys;
    private readonly NativeBuffer values;

    /// <summary>
    /// Room for <paramref name="blocks"/> blocks, zeroed, in the memory of <paramref name="device"/> (null: the host's). On a GPU the layout is
    /// <see cref="GpuKv"/>'s. In FP8 keys and values have <paramref name="scales"/>, or, without, a scale each.
    /// </summary>
    public KvLayer(int blocks, int blockTokens, int kvHeads, int headDim, KvType type, Device? device = null, KvScales? scales = null)
    {
        Scales = type == KvType.Fp8 ? scales : null;
        (Blocks, BlockTokens, KvHeads, HeadDim, Type) = (blocks, blockTokens, kvHeads, headDim, type);
        PaddedDim = (headDim + 15) & ~15;
        Groups = (blockTokens + GroupTokens - 1) / GroupTokens;
        ElementBytes = BytesOf(type);
        KeyGroupSize = (headDim + (type == KvType.Fp8 ? 1 : 0)) * GroupTokens;
        ValueBlockSize = (blockTokens * PaddedDim) + (type == KvType.Fp8 ? (blockTokens + 15) & ~15 : 0);
        if (device is GpuDevice gpu)
        {
            Gpu = new GpuKv(gpu, blocks, blockTokens, kvHeads, headDim, type);
            (keys, values) = (new NativeBuffer(0), new NativeBuffer(0));
            return;
        }
        keys = new NativeBuffer((long)blocks * kvHeads * Groups * KeyGroupSize * ElementBytes, zeroed: true);
        values = new NativeBuffer((long)blocks * kvHeads * ValueBlockSize * ElementBytes, zeroed: true);
    }

    public int Blocks { get; }

    public int BlockTokens { get; }

    public int KvHeads { get; }

    public int HeadDim { get; }

    /// <summary>Elements between the values of neighbouring tokens.</summary>
    public int PaddedDim { get; }

    /// <summary>Groups of keys in a block.</summary>
    public int Groups { get; }

    /// <summary>4, 2 or 1.</summary>
    public int ElementBytes { get; }

    /// <summary>Elements of a group of keys, its scales included.</summary>
    public int KeyGroupSize { get; }

    /// <summary>Elements of a head's values in a block, their scales included.</summary>
    public int ValueBlockSize { get; }

    public KvType Type { get; }

    /// <summary>In FP8 the scales of all keys and all values; null: each has its own.</summary>
    public KvScales? Scales { get; }

    /// <summary>The cache on a GPU; null where it lies in the host's memory.</summary>
    public GpuKv? Gpu { get; }

    /// <summary>Bytes of keys and values together.</summary>
    public long Bytes => Gpu?.Bytes ?? keys.Bytes + values.Bytes;

    public byte* Keys => keys.Data;

    public byte* Values => values.Data;

    /// <summary>
    /// Element index in <see cref="Keys"/> of dimension 0 of the first token of a group; dimension d of token t follows at 16 · d + t.
    /// </summary>
    public long KeyGroup(int block, int head, int group) => ((((long)block * KvHeads) + head) * Groups + group) * KeyGroupSize;

    /// <summary>In FP8: index in <see cref="Keys"/> of the scales of a group that begins at <paramref name="group"/>.</summary>
    public long KeyScales(long group) => group + (HeadDim * GroupTokens);

    /// <summary>Element index in <see cref="Values"/> of dimension 0 of a token of a block.</summary>
    public long ValueRow(int block, int head, int place) => ((((long)block * KvHeads) + head) * ValueBlockSize) + (place * PaddedDim);

    /// <summary>In FP8: index in <see cref="Values"/> of the scale of a token of a block; those of the tokens after it follow.</summary>
    public long ValueScale(int block, int head, int place) =>
        ((((long)block * KvHeads) + head) * ValueBlockSize) + (BlockTokens * PaddedDim) + place;

    /// <summary>Bytes of a number; scales of FP8 come on top, one byte a row.</summary>
    public static int BytesOf(KvType type) => type switch { KvType.Float32 => 4, KvType.BFloat16 => 2, _ => 1 };

    public void Dispose()
    {
        Gpu?.Dispose();
        keys.Dispose();
        values.Dispose();
    }
}
