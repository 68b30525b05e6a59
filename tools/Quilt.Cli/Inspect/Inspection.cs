using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;

namespace Quilt.Cli.Inspect;

/// <summary>What a checkpoint folder is, from its headers alone: sizes, how each kind of module is stored, what looks wrong.</summary>
internal sealed class Inspection
{
    private readonly Dictionary<(string Kind, string Scheme), (int Modules, long Bytes)> kinds = [];
    private readonly List<string> warnings = [];

    private Inspection(Checkpoint checkpoint)
    {
        Architecture = checkpoint.Config.ModelType;
        try
        {
            Spec = Architectures.Describe(checkpoint.Config);
        }
        catch (BadInputException refused)
        {
            warnings.Add($"does not run: {refused.Message}");
        }
        if (Spec is not null) Walk(checkpoint, Spec);
        TensorBytes = checkpoint.Tensors.Sum(tensor => tensor.Length);
        warnings.AddRange(checkpoint.Warnings);
    }

    /// <summary>model_type.</summary>
    public string Architecture { get; }

    /// <summary>The architecture's sizes; null if it does not run.</summary>
    public DecoderSpec? Spec { get; }

    /// <summary>Weights and vectors, scales not counted.</summary>
    public long Parameters { get; private set; }

    /// <summary>The same without the experts that a token does not go to.</summary>
    public long ActiveParameters { get; private set; }

    /// <summary>Bytes of all tensors in the files.</summary>
    public long TensorBytes { get; }

    /// <summary>Tokens of the longest sequence the model was made for; 0 if it does not run.</summary>
    public long ContextTokens => Spec?.Attention.MaxPositions ?? 0;

    /// <summary>For each kind of module and way of storing it: how many, and their bytes.</summary>
    public IEnumerable<(string Kind, string Scheme, int Modules, long Bytes)> Kinds =>
        kinds.Select(k => (k.Key.Kind, k.Key.Scheme, k.Value.Modules, k.Value.Bytes));

    /// <summary>What looks wrong.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>Looks at a folder.</summary>
    /// <exception cref="BadInputException">It cannot be opened, or a tensor that the architecture needs is missing or wrong.</exception>
    public static Inspection Of(Checkpoint checkpoint) => new(checkpoint);

    /// <summary>Bytes that the keys and values of one token take in the cache; 0 if the model does not run.</summary>
    public long KvBytesPerToken(KvType type) => Spec is null ? 0 : KvStore.BytesPerToken(Spec, type);

    private void Walk(Checkpoint checkpoint, DecoderSpec spec)
    {
        var modules = new DecoderModules(spec);
        var tied = checkpoint.Config.TieEmbeddings && !checkpoint.HasHead(modules.Head.Name);
        Add(checkpoint, "embedding", modules.Embedding);
        if (!tied) Add(checkpoint, "head", modules.Head);
        Add(checkpoint, modules.FinalNorm);
        var idle = 0L;
        foreach (var layer in modules.Layers)
        {
            foreach (var module in layer.Attention) Add(checkpoint, "attention", module);
            foreach (var module in layer.Dense?.All ?? []) Add(checkpoint, layer.Experts is null ? "feed-forward" : "shared experts", module);
            foreach (var vector in layer.Vectors) Add(checkpoint, vector);
            if (layer.Experts is not { } experts) continue;
            Add(checkpoint, "router", experts.Router);
            var before = Parameters;
            foreach (var module in experts.All) Add(checkpoint, "experts", module);
            idle += (Parameters - before) / experts.Spec.Experts * (experts.Spec.Experts - experts.Spec.PerToken);
        }
        ActiveParameters = Parameters - idle;
    }

    private void Add(Checkpoint checkpoint, string kind, ModuleShape shape)
    {
        var module = checkpoint.Module(shape.Name, shape.Rows, shape.Columns);
        Count(kind, module.Scheme, (long)shape.Rows * shape.Columns, module.Bytes);
        if (shape.HasBias) Add(checkpoint, shape.Bias);
    }

    private void Add(Checkpoint checkpoint, VectorShape shape)
    {
        var tensor = checkpoint.Find(shape.Name) ?? throw new BadInputException(checkpoint.Folder, shape.Name, "expected this tensor, found none");
        Count("norms and biases", tensor.Type.FileName().ToLowerInvariant(), shape.Length, tensor.Length);
    }

    private void Count(string kind, string scheme, long parameters, long bytes)
    {
        Parameters += parameters;
        var (modules, before) = kinds.GetValueOrDefault((kind, scheme));
        kinds[(kind, scheme)] = (modules + 1, before + bytes);
    }
}
