using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
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

    /// <summary>
    /// Reads a checkpoint's weights onto a device, module by module; what is read is checked on the way. On an exception nothing stays allocated.
    /// </summary>
    /// <exception cref="BadInputException">A tensor is missing, has another shape or holds impossible values.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DecoderWeights Load(Checkpoint checkpoint, DecoderSpec spec, Device device, IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        var weights = new DecoderWeights();
        try
        {
            new Reader(checkpoint, spec, device, weights, progress, cancel).ReadAll();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var item in owned) item.Dispose();
        owned.Clear();
    }

    private sealed class Reader(
        Checkpoint checkpoint, DecoderSpec spec, Device device, DecoderWeights into, IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        private readonly long total = checkpoint.Tensors.Values.Sum(tensor => tensor.Length);
        private long done;

        public void ReadAll()
        {
            into.Embedding = Matrix("model.embed_tokens", spec.VocabularySize, spec.Hidden);
            into.Layers = new DecoderLayer[spec.Layers];
            for (var layer = 0; layer < spec.Layers; layer++) into.Layers[layer] = Layer($"model.layers.{layer}");
            into.FinalNorm = Vector("model.norm.weight", spec.Hidden);
            into.Head = checkpoint.Config.TieEmbeddings && !checkpoint.Tensors.ContainsKey("lm_head.weight")
                ? into.Embedding
                : Matrix("lm_head", spec.VocabularySize, spec.Hidden);
        }

        private DecoderLayer Layer(string p)
        {
            var a = spec.Attention;
            var moe = spec.FeedForward;
            var (queries, keys) = (a.Heads * a.HeadDim, a.KeyValueHeads * a.HeadDim);
            return new DecoderLayer
            {
                AttentionNorm = Vector($"{p}.input_layernorm.weight", spec.Hidden),
                Query = Matrix($"{p}.self_attn.q_proj", queries, spec.Hidden),
                Key = Matrix($"{p}.self_attn.k_proj", keys, spec.Hidden),
                Value = Matrix($"{p}.self_attn.v_proj", keys, spec.Hidden),
                QueryNorm = Vector($"{p}.self_attn.q_norm.weight", queries),
                KeyNorm = Vector($"{p}.self_attn.k_norm.weight", keys),
                Output = Matrix($"{p}.self_attn.o_proj", spec.Hidden, queries),
                FeedForwardNorm = Vector($"{p}.post_attention_layernorm.weight", spec.Hidden),
                Router = Matrix($"{p}.block_sparse_moe.gate", moe.Experts, spec.Hidden),
                RouterBias = Vector($"{p}.block_sparse_moe.e_score_correction_bias", moe.Experts),
                Gate = Experts(p, "w1", moe.Hidden, spec.Hidden),
                Up = Experts(p, "w3", moe.Hidden, spec.Hidden),
                Down = Experts(p, "w2", spec.Hidden, moe.Hidden),
            };
        }

        private Weight Matrix(string name, int rows, int columns) => Load(name, [checkpoint.Module(name, rows, columns)]);

        private Weight Experts(string layer, string matrix, int rows, int columns)
        {
            var stack = new StoredModule[spec.FeedForward.Experts];
            for (var e = 0; e < stack.Length; e++) stack[e] = checkpoint.Module($"{layer}.block_sparse_moe.experts.{e}.{matrix}", rows, columns);
            return Load($"{layer}.block_sparse_moe.experts.{matrix}", stack);
        }

        private Weight Load(string name, StoredModule[] stack)
        {
            cancel.ThrowIfCancellationRequested();
            var weight = WeightLoader.Load(device, checkpoint, stack, name);
            into.owned.Add(weight);
            foreach (var module in stack) done += module.Bytes;
            progress?.Report(new LoadProgress(done, total, name));
            return weight;
        }

        private NativeBuffer Vector(string name, int length)
        {
            var values = checkpoint.Vector(name, length);
            var buffer = new NativeBuffer((long)length * sizeof(float));
            into.owned.Add(buffer);
            values.CopyTo(buffer.Span<float>(0, length));
            done += checkpoint.Tensors[name].Length;
            return buffer;
        }
    }
}

/// <summary>The weights of one decoder layer. Shapes are [outputs, inputs]; experts [experts, outputs, inputs].</summary>
internal sealed class DecoderLayer
{
    public required NativeBuffer AttentionNorm { get; init; }     // [model]
    public required Weight Query { get; init; }                   // [heads * headDim, model]
    public required Weight Key { get; init; }                     // [kvHeads * headDim, model]
    public required Weight Value { get; init; }                   // [kvHeads * headDim, model]
    public required NativeBuffer QueryNorm { get; init; }         // [heads * headDim]
    public required NativeBuffer KeyNorm { get; init; }           // [kvHeads * headDim]
    public required Weight Output { get; init; }                  // [model, heads * headDim]
    public required NativeBuffer FeedForwardNorm { get; init; }   // [model]
    public required Weight Router { get; init; }                  // [experts, model]
    public required NativeBuffer RouterBias { get; init; }        // [experts]
    public required Weight Gate { get; init; }                    // [experts, hidden, model], w1
    public required Weight Up { get; init; }                      // [experts, hidden, model], w3
    public required Weight Down { get; init; }                    // [experts, model, hidden], w2
}
