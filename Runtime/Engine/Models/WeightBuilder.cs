using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>Makes weights of the parts a checkpoint has, and remembers them: what was made is freed unless somebody takes it over.</summary>
internal sealed class WeightBuilder(IDecoderParts parts) : IDisposable
{
    private readonly List<IDisposable> made = [];

    /// <summary>Bytes that something made here holds.</summary>
    public static long BytesOf(IDisposable item) => item is Weight weight ? weight.Bytes : ((NativeBuffer)item).Bytes;

    /// <summary>All that was made since the last time; it is the caller's to free.</summary>
    public IReadOnlyList<IDisposable> Take()
    {
        IDisposable[] taken = [.. made];
        made.Clear();
        return taken;
    }

    /// <summary>One layer of a decoder; without its routed experts for those who have these go through memory one after another.</summary>
    public DecoderLayer Layer(DecoderSpec spec, LayerModules layer, bool experts = true)
    {
        // The list is read by the layer after it was made, and filled while it is made.
        var owned = new List<IDisposable>();
        var built = new DecoderLayer(spec, owned)
        {
            Window = spec.Window(layer.Index),
            CacheScales = parts.CacheScales(layer.Index),
            AttentionNorm = Vector(layer.AttentionNorm),
            Query = Linear(layer.Query),
            Key = Linear(layer.Key),
            Value = Linear(layer.Value),
            QueryNorm = layer.QueryNorm is { } query ? Vector(query) : null,
            KeyNorm = layer.KeyNorm is { } key ? Vector(key) : null,
            Sinks = layer.Sinks is { } sinks ? Vector(sinks) : null,
            Output = Linear(layer.Output),
            FeedForwardNorm = Vector(layer.FeedForwardNorm),
            Dense = layer.Dense is { } dense ? new() { Gate = Linear(dense.Gate), Up = Linear(dense.Up), Down = Linear(dense.Down) } : null,
            Experts = experts && layer.Experts is { } routed ? Experts(routed) : null,
        };
        owned.AddRange(Take());
        return built;
    }

    /// <summary>A matrix, or a stack of them.</summary>
    public Weight Weight(params ModuleShape[] stack) => Keep(parts.Weight(stack));

    /// <summary>A norm's gains or a bias, float32.</summary>
    public NativeBuffer Vector(VectorShape vector) => Vectors([vector]);

    public void Dispose()
    {
        foreach (var item in Take()) item.Dispose();
    }

    private RoutedExperts Experts(ExpertModules experts) => new()
    {
        Spec = experts.Spec with { Hidden = experts.Width.Count },
        Held = experts.Held,
        Router = Linear(experts.Router),
        Correction = experts.Correction is { } correction ? Vector(correction) : null,
        Gate = Stack(experts, experts.Gate),
        Up = Stack(experts, experts.Up),
        Down = Stack(experts, experts.Down),
    };

    private Linear Linear(ModuleShape module) => new(Weight(module), module.HasBias ? Vector(module.Bias) : null);

    private Linear Stack(ExpertModules experts, Func<int, ModuleShape> matrix)
    {
        var modules = experts.Stack(matrix);
        // Experts of other devices are one more in a plan, to whose rows something is added too: zeros.
        var more = experts.Held.Count < experts.Spec.Experts ? modules[0].Rows : 0;
        return new(Weight(modules), modules[0].HasBias ? Vectors(Array.ConvertAll(modules, m => m.Bias), more) : null);
    }

    // One behind the other, and zeros behind them.
    private NativeBuffer Vectors(VectorShape[] vectors, int zeros = 0)
    {
        var buffer = Keep(new NativeBuffer((vectors.Sum(vector => (long)vector.Length) + zeros) * sizeof(float), zeroed: zeros > 0));
        var start = 0L;
        foreach (var vector in vectors)
        {
            parts.Fill(vector, buffer.Span<float>(start, vector.Length));
            start += vector.Length;
        }
        return buffer;
    }

    private T Keep<T>(T item) where T : IDisposable
    {
        made.Add(item);
        return item;
    }
}
