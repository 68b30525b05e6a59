using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>All weights of a decoder on a device. Owns them.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private readonly List<IDisposable> owned = [];

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
    public long Bytes => owned.Sum(item => item is Weight weight ? weight.Bytes : ((NativeBuffer)item).Bytes);

    /// <summary>Makes all weights of a decoder, module by module. On an exception nothing stays allocated.</summary>
    public static DecoderWeights Load(DecoderSpec spec, IDecoderParts parts)
    {
        var weights = new DecoderWeights();
        try
        {
            new Builder(spec, parts, weights).Build();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of every linear module or stack of them, in the order in which they are loaded, one at a time; before any is.</summary>
    public static IEnumerable<long> SizesOf(DecoderSpec spec, IDecoderParts parts)
    {
        var modules = new DecoderModules(spec);
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
                yield return parts.Bytes([.. Enumerable.Range(0, experts.Spec.Experts).Select(matrix)]);
            }
        }
        if (!parts.HeadIsEmbedding(modules.Head)) yield return parts.Bytes([modules.Head]);
    }

    /// <summary>The weights that every token is multiplied with: all but the routers, and the embedding where it is no head.</summary>
    public IEnumerable<Weight> Products
    {
        get
        {
            foreach (var layer in Layers)
            {
                foreach (var linear in new[] { layer.Query, layer.Key, layer.Value, layer.Output, layer.Dense?.Gate, layer.Dense?.Up,
                    layer.Dense?.Down, layer.Experts?.Gate, layer.Experts?.Up, layer.Experts?.Down })
                {
                    if (linear is not null) yield return linear.Weight;
                }
            }
            yield return Head;
        }
    }

    public void Dispose()
    {
        foreach (var item in owned) item.Dispose();
        owned.Clear();
    }

    private sealed class Builder(DecoderSpec spec, IDecoderParts parts, DecoderWeights into)
    {
        public void Build()
        {
            var modules = new DecoderModules(spec);
            into.Embedding = Weight([modules.Embedding]);
            into.Layers = [.. modules.Layers.Select(Layer)];
            into.FinalNorm = Vector(modules.FinalNorm);
            into.Head = parts.HeadIsEmbedding(modules.Head) ? into.Embedding : Weight([modules.Head]);
            parts.Finish();
        }

        private DecoderLayer Layer(LayerModules layer) => new()
        {
            Window = spec.Window(layer.Index),
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
            Experts = layer.Experts is { } experts ? Experts(experts) : null,
        };

        private ExpertWeights Experts(ExpertModules experts) => new()
        {
            Spec = experts.Spec,
            Router = Linear(experts.Router),
            Correction = experts.Correction is { } correction ? Vector(correction) : null,
            Gate = Stack(experts.Spec, experts.Gate),
            Up = Stack(experts.Spec, experts.Up),
            Down = Stack(experts.Spec, experts.Down),
        };

        private Linear Linear(ModuleShape module) => new(Weight([module]), module.HasBias ? Vector(module.Bias) : null);

        private Linear Stack(MoeSpec spec, Func<int, ModuleShape> module)
        {
            var modules = Enumerable.Range(0, spec.Experts).Select(module).ToArray();
            return new(Weight(modules), modules[0].HasBias ? Vectors(Array.ConvertAll(modules, m => m.Bias)) : null);
        }

        private Weight Weight(ModuleShape[] stack)
        {
            var weight = parts.Weight(stack);
            into.owned.Add(weight);
            return weight;
        }

        private NativeBuffer Vector(VectorShape vector) => Vectors([vector]);

        // One behind the other.
        private NativeBuffer Vectors(VectorShape[] vectors)
        {
            var buffer = new NativeBuffer(vectors.Sum(vector => (long)vector.Length) * sizeof(float));
            into.owned.Add(buffer);
            var start = 0L;
            foreach (var vector in vectors)
            {
                parts.Fill(vector, buffer.Span<float>(start, vector.Length));
                start += vector.Length;
            }
            return buffer;
        }
    }
}

/// <summary>The weights of one decoder layer. Shapes are [outputs, inputs].</summary>
internal sealed class DecoderLayer
{
    /// <summary>Positions that a token sees, its own included.</summary>
    public required int Window { get; init; }

    public required NativeBuffer AttentionNorm { get; init; }     // [model]
    public required Linear Query { get; init; }                   // [heads * headDim, model]
    public required Linear Key { get; init; }                     // [kvHeads * headDim, model]
    public required Linear Value { get; init; }                   // [kvHeads * headDim, model]
    public required NativeBuffer? QueryNorm { get; init; }        // [heads * headDim] or [headDim]
    public required NativeBuffer? KeyNorm { get; init; }          // [kvHeads * headDim] or [headDim]
    public required NativeBuffer? Sinks { get; init; }            // [heads]
    public required Linear Output { get; init; }                  // [model, heads * headDim]
    public required NativeBuffer FeedForwardNorm { get; init; }   // [model]
    public required MlpWeights? Dense { get; init; }
    public required ExpertWeights? Experts { get; init; }
}

/// <summary>The dense part of a feed-forward.</summary>
internal sealed class MlpWeights
{
    public required Linear Gate { get; init; }                    // [width, model]
    public required Linear Up { get; init; }                      // [width, model]
    public required Linear Down { get; init; }                    // [model, width]
}

/// <summary>Routed experts and their router.</summary>
internal sealed class ExpertWeights
{
    /// <summary>How they are chosen, and their activation.</summary>
    public required MoeSpec Spec { get; init; }

    public required Linear Router { get; init; }                  // [experts, model]
    public required NativeBuffer? Correction { get; init; }       // [experts]
    public required Linear Gate { get; init; }                    // [experts, width, model]
    public required Linear Up { get; init; }                      // [experts, width, model]
    public required Linear Down { get; init; }                    // [experts, model, width]

    /// <summary>
    /// activation(gate · x, up · x): <paramref name="x"/> is [tokens, model], <paramref name="into"/> [pairs, width] in the plan's order.
    /// </summary>
    public void Activate(OpStream ops, Matrix x, ExpertPlan plan, Matrix into)
    {
        if (Spec.SwigluLimit is null && Gate.Bias is null && Up.Bias is null && Gate.Weight.TryMatMulGated(ops, Up.Weight, x, plan, into)) return;
        var mark = ops.Mark();
        var up = ops.Scratch(into.Rows, into.Columns);
        Gate.MatMulExperts(ops, x, plan, ExpertRows.Tokens, into);
        Up.MatMulExperts(ops, x, plan, ExpertRows.Tokens, up);
        if (Spec.SwigluLimit is { } limit) ops.ClampedSwiglu(into, up, limit, into);
        else ops.SiluMul(into, up, into);
        ops.Release(mark);
    }
}
