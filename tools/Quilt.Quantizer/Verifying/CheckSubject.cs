using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Quantizer.Repair;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying;

/// <summary>The checkpoint that is looked at, and what several checks want to know of it.</summary>
internal sealed class CheckSubject
{
    private readonly Dictionary<int, SmoothedLayer?> smoothed = [];

    /// <param name="model">The checkpoint.</param>
    /// <param name="spec">Its architecture.</param>
    /// <param name="official">The one that it was made of, of the same sizes; null: not there.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="cancel">Ends any check.</param>
    public CheckSubject(Checkpoint model, DecoderSpec spec, Checkpoint? official, VerifyOptions options, CancellationToken cancel)
    {
        (Model, Spec, Official, Options, Cancel) = (model, spec, official, options, cancel);
        Modules = new DecoderModules(spec);
        OpeningWarnings = model.Warnings;
        Forward = new ForwardRun(this);
    }

    /// <summary>The checkpoint.</summary>
    public Checkpoint Model { get; }

    /// <summary>What it was made of; null: not there.</summary>
    public Checkpoint? Official { get; }

    /// <summary>The architecture's facts.</summary>
    public DecoderSpec Spec { get; }

    /// <summary>All that the architecture says is there.</summary>
    public DecoderModules Modules { get; }

    /// <summary>What is asked for.</summary>
    public VerifyOptions Options { get; }

    /// <summary>Ends any check.</summary>
    public CancellationToken Cancel { get; }

    /// <summary>What looked wrong when the folder was opened, before any module was asked for.</summary>
    public IReadOnlyList<string> OpeningWarnings { get; }

    /// <summary>Both models run beside each other.</summary>
    public ForwardRun Forward { get; }

    /// <summary>Every linear module, in the order of the model.</summary>
    public IEnumerable<ModuleShape> Linears
    {
        get
        {
            yield return Modules.Embedding;
            foreach (var module in Modules.Layers.SelectMany(OfLayer)) yield return module;
            if (!Model.Config.TieEmbeddings || Model.Find($"{Modules.Head.Name}.weight") is not null) yield return Modules.Head;
        }
    }

    /// <summary>Every tensor of one dimension: norms, corrections, biases.</summary>
    public IEnumerable<VectorShape> Vectors => Modules.Layers.SelectMany(layer => layer.Vectors).Append(Modules.FinalNorm)
        .Concat(Linears.Where(module => module.HasBias).Select(module => module.Bias));

    /// <summary>The linear modules of one layer.</summary>
    public static IEnumerable<ModuleShape> OfLayer(LayerModules layer) => layer.Attention.Concat(layer.Dense?.All ?? [])
        .Concat(layer.Experts is { } experts ? experts.All.Prepend(experts.Router) : []);

    /// <summary>A module as it is stored; null where its tensors are not what they should be, which is a check of its own.</summary>
    public StoredModule? Find(ModuleShape shape)
    {
        try
        {
            return Model.Module(shape.Name, shape.Rows, shape.Columns);
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    /// <summary>The same module of <see cref="Official"/>, which must be whole.</summary>
    /// <exception cref="BadInputException">It is not.</exception>
    public StoredModule FindOfficial(ModuleShape shape) => Official!.Module(shape.Name, shape.Rows, shape.Columns);

    /// <summary>How a layer was smoothed; null where a norm or a weight of it cannot be read, which other checks tell of.</summary>
    public SmoothedLayer? Smoothed(LayerModules layer)
    {
        if (smoothed.TryGetValue(layer.Index, out var known)) return known;
        Cancel.ThrowIfCancellationRequested();
        return smoothed[layer.Index] = SmoothedLayer.Of(Official!, Model, layer);
    }

    /// <summary>Layers whose norm belongs to their weights, and what it was divided by.</summary>
    public IEnumerable<(LayerModules Layer, NormRatio Ratio)> FittingLayers
    {
        get
        {
            foreach (var layer in Modules.Layers)
            {
                if (layer.Experts is not null && Smoothed(layer) is { Problem: null } found) yield return (layer, found.Ratio!);
            }
        }
    }
}
