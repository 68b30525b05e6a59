using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Kv;

/// <summary>
/// The keys and values of all layers on one device, in blocks whose ids a <see cref="KvBlockPool"/> deals (docs/scheduling.md, "Blocks").
/// </summary>
internal sealed class KvStore : IDisposable
{
    private readonly KvLayer[] layers;

    /// <summary>
    /// Room for all of a layout's blocks in every layer, in the memory of <paramref name="device"/>; in FP8 by the scales of
    /// <paramref name="weights"/>.
    /// </summary>
    public KvStore(DecoderSpec spec, KvLayout layout, Device device, DecoderWeights weights)
    {
        Layout = layout;
        layers = new KvLayer[spec.Layers];
        try
        {
            for (var i = 0; i < layers.Length; i++)
            {
                layers[i] = new KvLayer(layout.Blocks, layout.BlockTokens, spec.Attention.KeyValueHeads, spec.Attention.HeadDim, layout.Type, device,
                    weights.Layers[i].CacheScales);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How they are kept.</summary>
    public KvLayout Layout { get; }

    /// <summary>
    /// The same blocks on the other devices of a model that is cut over several, in their order: the other heads of every token. They are disposed of
    /// with this one.
    /// </summary>
    public KvStore[] Beside { get; set; } = [];

    /// <summary>Tokens in a block.</summary>
    public int BlockTokens => Layout.BlockTokens;

    /// <summary>In what precision they are kept.</summary>
    public KvType Type => Layout.Type;

    /// <summary>The arrays of one layer.</summary>
    public KvLayer this[int layer] => layers[layer];

    /// <summary>Bytes that the keys and values of one token take in all layers, scales included.</summary>
    public static long BytesPerToken(DecoderSpec spec, KvType type)
    {
        var padded = (spec.Attention.HeadDim + 15) & ~15;
        return 2L * spec.Layers * spec.Attention.KeyValueHeads * ((padded * KvLayer.BytesOf(type)) + (type == KvType.Fp8 ? 1 : 0));
    }

    public void Dispose()
    {
        foreach (var layer in layers) layer?.Dispose();
        foreach (var other in Beside) other.Dispose();
    }
}
