using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Kv;

/// <summary>The keys and values of all layers on one device, in blocks whose ids a <see cref="KvBlockPool"/> deals.</summary>
internal sealed class KvStore : IDisposable
{
    private readonly KvLayer[] layers;

    /// <summary>Room for <paramref name="blocks"/> blocks in every layer, in the memory of <paramref name="device"/>.</summary>
    public KvStore(DecoderSpec spec, int blocks, int blockTokens, KvType type, Device device)
    {
        (Blocks, BlockTokens, Type) = (blocks, blockTokens, type);
        layers = new KvLayer[spec.Layers];
        try
        {
            for (var i = 0; i < layers.Length; i++)
                layers[i] = new KvLayer(blocks, blockTokens, spec.Attention.KeyValueHeads, spec.Attention.HeadDim, type, device);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Blocks in every layer.</summary>
    public int Blocks { get; }

    /// <summary>Tokens in a block.</summary>
    public int BlockTokens { get; }

    /// <summary>In what precision they are kept.</summary>
    public KvType Type { get; }

    /// <summary>The arrays of one layer.</summary>
    public KvLayer this[int layer] => layers[layer];

    /// <summary>Bytes that the keys and values of one token take in all layers.</summary>
    public static long BytesPerToken(DecoderSpec spec, KvType type)
    {
        var padded = (spec.Attention.HeadDim + 15) & ~15;
        return 2L * spec.Layers * spec.Attention.KeyValueHeads * padded * (type == KvType.Float32 ? 4 : 2);
    }

    public void Dispose()
    {
        foreach (var layer in layers) layer?.Dispose();
    }
}
