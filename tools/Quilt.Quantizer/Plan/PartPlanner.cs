using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Plan;

/// <summary>Goes through a model and decides for each module.</summary>
internal sealed class PartPlanner(Checkpoint source, Recipe recipe, DecoderSpec spec)
{
    private readonly ModuleTargets targets = new(recipe);
    private readonly WeightTensors tensors = new(source);
    // What is amiss with it the source was told when it was opened.
    private readonly QuantConfig told = QuantConfigReader.Read(source.Config, new WarningList());

    /// <summary>Embedding, layers, head.</summary>
    public IReadOnlyList<PlannedPart> Plan()
    {
        var modules = new DecoderModules(spec);
        var shapes = new List<(string Part, int? Layer, IReadOnlyList<ModuleShape> Shapes)> { ("embedding", null, [modules.Embedding]) };
        shapes.AddRange(modules.Layers.Select(layer => (FormattableString.Invariant($"layer-{layer.Index}"), (int?)layer.Index, Linears(layer))));
        var isTied = source.Config.TieEmbeddings && source.Find($"{modules.Head.Name}.weight") is null;
        shapes.Add(("head", null, isTied ? [] : [modules.Head]));

        string[] names = [.. shapes.SelectMany(part => part.Shapes.Select(shape => shape.Name))];
        targets.CheckEach(names);
        var smoothed = targets.Smoothed(names);
        var planned = shapes.ConvertAll(part => (part.Part, part.Layer, Modules: part.Shapes.Select(shape => Module(shape, smoothed)).ToList()));

        var rest = tensors.TakeRest().ToLookup(tensor => WeightTensors.LayerOf(tensor, spec.Layers));
        return [.. planned.Select(part => Whole(new PlannedPart(part.Part, part.Layer, part.Modules,
            part.Part == "embedding" ? [] : [.. rest[part.Layer]])))];
    }

    private static IReadOnlyList<ModuleShape> Linears(LayerModules layer) =>
    [
        .. layer.Attention, .. layer.Dense?.All ?? [],
        .. layer.Experts is { } experts ? experts.All.Prepend(experts.Router) : [],
    ];

    private PlannedModule Module(ModuleShape shape, IReadOnlySet<string> smoothed)
    {
        var stored = source.Module(shape.Name, shape.Rows, shape.Columns);
        var name = WeightTensors.NameOf(stored);
        var extras = tensors.Take(shape.Name).Where(tensor => !WeightTensors.IsOfWeight(tensor)).ToList();
        var group = targets.Find(name);
        var has = StoredScheme.Of(stored, told.Find(TensorNames.Spellings(shape.Name)), out var problem);
        if (group is null)
        {
            if (problem is not null)
                throw Bad(stored, $"expected a module that can be kept as it is stored, or one that a target of the recipe matches; it {problem}");
            return new(name, shape, stored, null, extras) { Result = has };
        }
        if (problem is null && !smoothed.Contains(shape.Name) && StoredScheme.Alike(has, group.Weights, shape.Rows, shape.Columns))
            return new(name, shape, stored, group, extras) { Result = group.Weights };
        Check(group, name, shape);
        return new(name, shape, stored, group, extras) { Scheme = group.Weights, Result = group.Weights };
    }

    private void Check(SchemeGroup group, string name, ModuleShape shape)
    {
        var scheme = group.Weights;
        if (scheme.Strategy == ScaleStrategy.Group && shape.Columns % scheme.GroupSize != 0)
            throw new BadInputException(recipe.Origin, $"{group.Name}: {name}",
                $"expected a group_size that divides its {shape.Columns} columns, found {scheme.GroupSize}");
        if ((long)shape.Rows * SchemeShape.Scales(scheme, shape.Rows, shape.Columns)[^1] * sizeof(float) > Array.MaxLength)
            throw new BadInputException(recipe.Origin, $"{group.Name}: {name}",
                $"expected a module whose scales are at most {Array.MaxLength} bytes, found {shape.Rows} rows of {shape.Columns} columns");
    }

    // Experts that lie in one tensor and are all copied stay in it.
    private static PlannedPart Whole(PlannedPart part)
    {
        var fused = part.Modules.Where(module => module.Stored.Tensors[0].Part is not null)
            .GroupBy(module => (module.Stored.Tensors[0].File, module.Stored.Tensors[0].Name)).ToList();
        if (fused.Count == 0 || fused.Exists(tensor => tensor.Any(module => module.Scheme is not null))) return part;
        var names = fused.ConvertAll(tensor => tensor.Key);
        names.AddRange(part.Modules.SelectMany(module => module.Extras).Where(tensor => tensor.Part is not null)
            .Select(tensor => (tensor.File, tensor.Name)).Distinct());
        var whole = names.ConvertAll(name => Original(name.File, name.Name));
        return part with
        {
            Modules = [.. part.Modules.Select(module => module.Stored.Tensors[0].Part is null ? module
                : module with { InTensor = true, Extras = [.. module.Extras.Where(tensor => tensor.Part is null)] })],
            Others = [.. part.Others, .. whole],
        };
    }

    private static TensorEntry Original(string file, string name)
    {
        using var opened = SafeTensorsFile.Open(file);
        return opened.Tensors[name];
    }

    private static BadInputException Bad(StoredModule stored, string problem) => new(stored.Tensors[0].File, stored.Tensors[0].Label, problem);
}
