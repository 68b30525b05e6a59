using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Plan;

/// <summary>The tensors of a checkpoint by the module or the layer they belong to.</summary>
internal sealed class WeightTensors
{
    // What together is a module's weight, or says how its inputs are quantized, which is of no use beside a weight that is stored otherwise.
    private static readonly HashSet<string> OfWeight = new(StringComparer.Ordinal)
    {
        "weight", "weight_packed", "weight_scale", "weight_scale_inv", "weight_scale_2", "weight_shape", "weight_zero_point", "weight_g_idx",
        "weight_global_scale", "input_scale", "input_global_scale",
    };

    private const string Layers = "model.layers.";
    private readonly Dictionary<string, List<TensorEntry>> byModule = new(StringComparer.Ordinal);

    public WeightTensors(Checkpoint source)
    {
        foreach (var tensor in source.Tensors)
        {
            var stem = Stem(TensorNames.Meaning(NameOf(tensor)), out _);
            if (!byModule.TryGetValue(stem, out var list)) byModule.Add(stem, list = []);
            list.Add(tensor);
        }
    }

    /// <summary>What a tensor would be called if it stood alone.</summary>
    public static string NameOf(TensorEntry tensor) => tensor.Part ?? tensor.Name;

    /// <summary>What the result calls a module: as the source's files do, or, where they hold experts together, as its architecture does.</summary>
    public static string NameOf(StoredModule module) =>
        module.Tensors[0].Part is null ? Stem(module.Tensors[0].Name, out _) : module.Name;

    /// <summary>The last part of a tensor's name.</summary>
    public static string Suffix(TensorEntry tensor)
    {
        Stem(NameOf(tensor), out var suffix);
        return suffix;
    }

    /// <summary>Whether a tensor is a module's weight or a part of it.</summary>
    public static bool IsOfWeight(TensorEntry tensor) => OfWeight.Contains(Suffix(tensor));

    /// <summary>Takes out all tensors of a module.</summary>
    public IReadOnlyList<TensorEntry> Take(string module)
    {
        byModule.Remove(TensorNames.Meaning(module), out var found);
        return found ?? [];
    }

    /// <summary>Takes out what is left.</summary>
    public IReadOnlyList<TensorEntry> TakeRest()
    {
        TensorEntry[] rest = [.. byModule.Values.SelectMany(list => list).OrderBy(NameOf, StringComparer.Ordinal)];
        byModule.Clear();
        return rest;
    }

    /// <summary>Which of a model's layers a tensor is of; null: of none.</summary>
    public static int? LayerOf(TensorEntry tensor, int layers)
    {
        if (!tensor.Name.StartsWith(Layers, StringComparison.Ordinal)) return null;
        var rest = tensor.Name.AsSpan(Layers.Length);
        var dot = rest.IndexOf('.');
        return dot > 0 && int.TryParse(rest[..dot], out var layer) && layer >= 0 && layer < layers ? layer : null;
    }

    private static string Stem(string name, out string suffix)
    {
        var dot = name.LastIndexOf('.');
        suffix = name[(dot + 1)..];
        return dot < 0 ? "" : name[..dot];
    }
}
