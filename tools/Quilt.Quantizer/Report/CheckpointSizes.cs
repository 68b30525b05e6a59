using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Report;

/// <summary>The sizes of two checkpoints of one model, from their headers.</summary>
internal static class CheckpointSizes
{
    private const string Other = "other tensors";
    private static readonly string[] Order =
        ["experts", "shared experts", "feed-forward", "attention", "embedding and head", "routers", "norms and biases", Other];

    /// <summary>Compares two checkpoints of the same architecture.</summary>
    /// <exception cref="BadInputException">A tensor that the architecture needs is missing or wrong in one of them.</exception>
    public static SizeReport Compare(Checkpoint before, Checkpoint after)
    {
        var spec = Architectures.Describe(after.Config);
        var (old, written) = (ByKind(before, Architectures.Describe(before.Config)), ByKind(after, spec));
        return new([.. Order.Select(kind => new KindSize(kind, old.GetValueOrDefault(kind), written.GetValueOrDefault(kind)))
                .Where(kind => kind.Before > 0 || kind.After > 0)],
            KvStore.BytesPerToken(spec, KvType.BFloat16), spec.Attention.MaxPositions);
    }

    /// <summary>Bytes of a checkpoint's tensors by kind; together they are all of them.</summary>
    public static IReadOnlyDictionary<string, long> ByKind(Checkpoint checkpoint, DecoderSpec spec)
    {
        var kinds = new Dictionary<string, long>();
        var modules = new DecoderModules(spec);
        Add("embedding and head", modules.Embedding);
        if (!checkpoint.Config.TieEmbeddings || checkpoint.Find($"{modules.Head.Name}.weight") is not null) Add("embedding and head", modules.Head);
        foreach (var layer in modules.Layers)
        {
            foreach (var module in layer.Attention) Add("attention", module);
            foreach (var module in layer.Dense?.All ?? []) Add(layer.Experts is null ? "feed-forward" : "shared experts", module);
            foreach (var vector in layer.Vectors) AddVector(vector);
            if (layer.Experts is not { } experts) continue;
            Add("routers", experts.Router);
            foreach (var module in experts.All) Add("experts", module);
        }
        AddVector(modules.FinalNorm);
        kinds[Other] = checkpoint.Tensors.Sum(tensor => tensor.Length) - kinds.Values.Sum();
        return kinds;

        void Add(string kind, ModuleShape shape)
        {
            kinds[kind] = kinds.GetValueOrDefault(kind) + checkpoint.Module(shape.Name, shape.Rows, shape.Columns).Bytes;
            if (shape.HasBias) AddVector(shape.Bias);
        }

        void AddVector(VectorShape shape)
        {
            var tensor = checkpoint.Find(shape.Name)
                ?? throw new BadInputException(checkpoint.Folder, shape.Name, "expected this tensor, found none");
            kinds["norms and biases"] = kinds.GetValueOrDefault("norms and biases") + tensor.Length;
        }
    }
}
