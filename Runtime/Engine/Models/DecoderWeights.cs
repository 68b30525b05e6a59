using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>All weights of a decoder on a device. Owns them.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private readonly List<IDisposable> owned = [];
    private readonly List<DecoderLayer> layers = [];

    private DecoderWeights()
    {
    }

    /// <summary>[vocabulary, model].</summary>
    public Weight Embedding { get; private set; } = null!;

    /// <summary>One entry a layer.</summary>
    public DecoderLayer[] Layers { get; private set; } = [];

    /// <summary>[model].</summary>
    public NativeBuffer FinalNorm { get; private set; } = null!;

    /// <summary>[vocabulary, model].</summary>
    public Weight Head { get; private set; } = null!;

    /// <summary>Bytes of all weights as held.</summary>
    public long Bytes => owned.Sum(WeightBuilder.BytesOf) + layers.Sum(layer => layer.Bytes);

    /// <summary>The weights that every token is multiplied with: all but the routers, and the embedding where it is no head.</summary>
    public IEnumerable<Weight> Products =>
        layers.SelectMany(layer => layer.Linears.Where(linear => linear != layer.Experts?.Router)).Select(linear => linear.Weight).Append(Head);

    /// <summary>
    /// Makes all weights of a decoder, module by module, or one device's <paramref name="share"/> of each. On an exception nothing stays allocated.
    /// </summary>
    public static DecoderWeights Load(DecoderSpec spec, IDecoderParts parts, DeviceShare? share = null)
    {
        var weights = new DecoderWeights();
        try
        {
            weights.Build(spec, parts, share);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Makes one layer, for those who go through a model with no more of it in memory at a time. The caller frees it.</summary>
    public static DecoderLayer LoadLayer(DecoderSpec spec, IDecoderParts parts, int layer, bool experts = true)
    {
        using var builder = new WeightBuilder(parts);
        return builder.Layer(spec, new DecoderModules(spec).Layer(layer), experts);
    }

    /// <summary>Bytes of every linear module or stack of them, in the order in which they are loaded, one at a time; before any is.</summary>
    public static IEnumerable<long> SizesOf(DecoderSpec spec, IDecoderParts parts, DeviceShare? share = null)
    {
        var modules = new DecoderModules(spec, share);
        yield return parts.Bytes([modules.Embedding]);
        foreach (var layer in modules.Layers)
        {
            foreach (var module in layer.Attention) yield return parts.Bytes([module]);
            if (layer.Dense is { } dense)
            {
                foreach (var module in dense.All) yield return parts.Bytes([module]);
            }
            if (layer.Experts is not { } experts) continue;
            yield return parts.Bytes([experts.Router]);
            foreach (var matrix in new Func<int, ModuleShape>[] { experts.Gate, experts.Up, experts.Down })
            {
                yield return parts.Bytes(experts.Stack(matrix));
            }
        }
        if (!parts.HeadIsEmbedding(modules.Head)) yield return parts.Bytes([modules.Head]);
    }

    public void Dispose()
    {
        foreach (var layer in layers) layer.Dispose();
        foreach (var item in owned) item.Dispose();
        layers.Clear();
        owned.Clear();
    }

    private void Build(DecoderSpec spec, IDecoderParts parts, DeviceShare? share)
    {
        using var builder = new WeightBuilder(parts);
        var modules = new DecoderModules(spec, share);
        var own = share?.Of(spec) ?? spec;
        Embedding = builder.Weight(modules.Embedding);
        owned.AddRange(builder.Take());
        foreach (var layer in modules.Layers) layers.Add(builder.Layer(own, layer));
        Layers = [.. layers];
        FinalNorm = builder.Vector(modules.FinalNorm);
        Head = parts.HeadIsEmbedding(modules.Head) ? Embedding : builder.Weight(modules.Head);
        owned.AddRange(builder.Take());
        parts.Finish();
    }
}
