using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Plan;

/// <summary>A linear module of the source, or its embedding, and what becomes of it.</summary>
/// <param name="Name">Path in the result, without suffix: as the source's files call it.</param>
/// <param name="Shape">What its architecture says of it; the official name is there.</param>
/// <param name="Stored">How the source has it.</param>
/// <param name="Group">The recipe's group it belongs to; null: none, it stays as it is stored.</param>
/// <param name="Extras">Its tensors that are no weight, such as a bias; they are copied.</param>
internal sealed record PlannedModule(string Name, ModuleShape Shape, StoredModule Stored, SchemeGroup? Group, IReadOnlyList<TensorEntry> Extras)
{
    /// <summary>What it is quantized to; null: it is copied, as it is stored or as its group wants it already.</summary>
    public WeightScheme? Scheme { get; init; }

    /// <summary>How the result has it, made anew or copied; null: as plain numbers.</summary>
    public WeightScheme? Result { get; init; }

    /// <summary>Whether it stays in a tensor with all experts of its layer, which is among the part's other tensors.</summary>
    public bool InTensor { get; init; }

    /// <summary>The type that a copied plain weight is written in; null: the source's.</summary>
    public DType? PlainType { get; init; }
}

/// <summary>A part of the source, in which nothing depends on another part's tensors.</summary>
/// <param name="Name">A plain word for files and messages, such as <c>layer-7</c>.</param>
/// <param name="Layer">Which layer it is; null: none, but embedding or head.</param>
/// <param name="Modules">In the order of the model.</param>
/// <param name="Others">Tensors that belong to no linear module: norms, corrections, scales of the cache. They are copied.</param>
internal sealed record PlannedPart(string Name, int? Layer, IReadOnlyList<PlannedModule> Modules, IReadOnlyList<TensorEntry> Others);
