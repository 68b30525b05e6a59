using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Plan;

/// <summary>What a recipe makes of each module of a checkpoint.</summary>
internal sealed class QuantizePlan
{
    /// <summary>The source; its owner keeps it open while the plan is used.</summary>
    public required Checkpoint Source { get; init; }

    /// <summary>The recipe.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>The source's architecture.</summary>
    public required DecoderSpec Spec { get; init; }

    /// <summary>Embedding, layers, head: in the order of the model.</summary>
    public required IReadOnlyList<PlannedPart> Parts { get; init; }

    /// <summary>All modules.</summary>
    public IEnumerable<PlannedModule> Modules => Parts.SelectMany(part => part.Modules);

    /// <summary>The modules of a layer by their official names.</summary>
    public IReadOnlyDictionary<string, PlannedModule> ModulesOf(int layer) =>
        Parts.First(part => part.Layer == layer).Modules.ToDictionary(module => module.Shape.Name, StringComparer.Ordinal);

    /// <summary>Whether the result is the official FP8 form.</summary>
    public bool IsOfficialFp8 => Recipe.OfficialFp8;

    /// <summary>Resolves every module. Only headers are read.</summary>
    /// <exception cref="BadInputException">
    /// The source is packed, or lacks something; a target matches no module; a module cannot be stored as its group says, or not be kept as it is.
    /// </exception>
    public static QuantizePlan Create(Checkpoint source, Recipe recipe)
    {
        source.RequireUnpacked();
        var spec = Architectures.Describe(source.Config);
        return new QuantizePlan { Source = source, Recipe = recipe, Spec = spec, Parts = new PartPlanner(source, recipe, spec).Plan() };
    }
}
