using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Recipes;
using Quilt.Quantizer.Report;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// Quantizes a checkpoint with data, layer by layer: what a layer's experts see is measured, scales are found, the layer is written. Interrupted at
/// any moment, the next run goes on with the layer that was at work, to the same bytes.
/// </summary>
internal static class Calibrating
{
    /// <summary>Writes a smaller checkpoint, or goes on with it.</summary>
    /// <param name="source">What is quantized.</param>
    /// <param name="output">The result's folder, which must not exist or be empty.</param>
    /// <param name="recipe">What is done; it has smoothing.</param>
    /// <param name="settings">How.</param>
    /// <param name="planned">Hears what it will take, before it begins.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancel">Stops; what is there by then is gone on with the next time.</param>
    /// <exception cref="BadInputException">The recipe does not fit the source; source or samples are damaged; the result cannot be written
    /// there.</exception>
    public static CalibrationOutcome Run(Checkpoint source, string output, Recipe recipe, CalibrationSettings settings,
        Action<CalibrationForecast>? planned = null, IProgress<LayerProgress>? progress = null, CancellationToken cancel = default)
    {
        var plan = CalibrationPlan.Create(source, recipe, settings);
        var warnings = new List<string>();
        var config = ConfigFile.With(source.Config, QuantizationConfig.Of(plan.Modules, warnings));
        var layout = plan.Modules.Parts.Select(part => PartTensors.Layout(plan.Modules, part)).ToList();
        var fingerprint = Quantizing.FingerprintOf(source, recipe).Add("calibration", plan.Digest);
        using var folder = OutputFolder.Open(output, layout, fingerprint, plan.DiskBytes, cancel: cancel);
        using var device = new CpuDevice(threads: settings.Threads);
        var states = new StateFile(folder.WorkFolder, plan.Batches.Tokens, plan.Modules.Spec.Hidden);
        var clock = new CalibrationClock(plan.Modules.Spec.Layers, progress);
        using var layers = settings.Match is null ? (ILayerCalibration)new RefinedLayers(plan, device, states, clock.Report)
            : new MatchedLayers(plan, device, states, clock.Report);
        var left = plan.Modules.Parts.Count(part => part.Layer is not null && !folder.HasPart(part.Name));
        planned?.Invoke(new(plan.Samples.Count, plan.Batches.Tokens, plan.Batches.All.Count, left, plan.Memory.Peak, layout.Sum(part => part.Bytes),
            plan.DiskBytes, left > 0 ? layers.Forecast(cancel) : null));
        foreach (var part in plan.Modules.Parts)
        {
            if (folder.HasPart(part.Name)) continue;
            var changes = PartChanges.None;
            if (part.Layer is { } layer)
            {
                clock.Begin(layer);
                Prepare(layers, states, layer, cancel);
                changes = layers.Run(layer, cancel, out var note);
                note.Write(folder.WorkFolder, layer);
            }
            folder.WritePart(part.Name, new PartTensors(plan.Modules, part, settings.Threads, cancel).Tensors(changes), cancel);
            if (part.Layer is { } done) states.Delete(done);
            // A layer leaves hundreds of megabytes behind, which the next one needs.
            GC.Collect();
        }
        var notes = LayerNote.ReadAll(folder.WorkFolder, plan.Modules.Spec.Layers);
        folder.Finish(source.Folder, config, recipe.Text, cancel);
        return new CalibrationOutcome([.. notes.Select(note => note.Report).OfType<LayerReport>()], [.. notes.SelectMany(note => note.Mappings)],
            warnings);
    }

    // A run that goes on finds the streams where the one before left them.
    private static void Prepare(ILayerCalibration layers, StateFile states, int layer, CancellationToken cancel)
    {
        if (states.Has(layer)) return;
        if (!states.Has(0)) layers.Embed(cancel);
        for (var below = 0; below < layer; below++)
        {
            if (!states.Has(below + 1)) layers.Skip(below, cancel);
            if (below + 1 < layer) states.Delete(below);
        }
    }
}
