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
            var modules = new DecoderModules(spec);
            into.Embedding = Matrix(modules.Embedding);
            into.Layers = [.. modules.Layers.Select(Layer)];
            into.FinalNorm = Vector(modules.FinalNorm);
            into.Head = checkpoint.Config.TieEmbeddings && !checkpoint.Tensors.ContainsKey($"{modules.Head.Name}.weight") ? into.Embedding : Matrix(modules.Head);
            // Tensors that no weight is made of, such as the shapes beside packed codes, are passed over at the end.
            progress?.Report(new LoadProgress(total, total, modules.Head.Name));
        }

        private DecoderLayer Layer(LayerModules layer) => new()
        {
            AttentionNorm = Vector(layer.AttentionNorm),
            Query = Matrix(layer.Query),
            Key = Matrix(layer.Key),
            Value = Matrix(layer.Value),
            QueryNorm = Vector(layer.QueryNorm),
            KeyNorm = Vector(layer.KeyNorm),
            Output = Matrix(layer.Output),
            FeedForwardNorm = Vector(layer.FeedForwardNorm),
            Router = Matrix(layer.Router),
            RouterBias = Vector(layer.RouterBias),
            Gate = Experts(layer.Gate),
            Up = Experts(layer.Up),
            Down = Experts(layer.Down),
        };

        private Weight Matrix(ModuleShape module) => Load(module.Name, [checkpoint.Module(module.Name, module.Rows, module.Columns)]);

        private Weight Experts(Func<int, ModuleShape> module)
        {
            var stack = new StoredModule[spec.FeedForward.Experts];
            for (var e = 0; e < stack.Length; e++)
            {
                var (name, rows, columns) = module(e);
                stack[e] = checkpoint.Module(name, rows, columns);
            }
            return Load(stack[0].Name.Replace(".experts.0.", ".experts.", StringComparison.Ordinal), stack);
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

        private NativeBuffer Vector(VectorShape vector)
        {
            var (name, length) = vector;
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
