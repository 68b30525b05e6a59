using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// Takes all samples through one layer after another as a release of llm-compressor does, in the model's type, each layer's experts smoothed but not
/// quantized before the next one is looked at; and finds the scales that the release finds.
/// </summary>
internal sealed class MatchedLayers : ILayerCalibration
{
    private readonly CalibrationPlan plan;
    private readonly CpuDevice device;
    private readonly StateFile states;
    private readonly Action<int, int> done;
    private readonly MatchVersion version;
    private readonly Precision precision;
    private readonly int model;
    private readonly int[] starts;
    private readonly SafeTensorsFile? given;

    public MatchedLayers(CalibrationPlan plan, CpuDevice device, StateFile states, Action<int, int> done)
    {
        (this.plan, this.device, this.states, this.done) = (plan, device, states, done);
        (version, precision, model) = (plan.Settings.Match!, plan.Precision, plan.Modules.Spec.Hidden);
        starts = [0, .. plan.Samples.Select(sample => sample.Length)];
        for (var i = 1; i < starts.Length; i++) starts[i] = checked(starts[i] + starts[i - 1]);
        given = plan.Settings.MoeInput is { } path ? SafeTensorsFile.Open(path) : null;
    }

    public TimeSpan? Forecast(CancellationToken cancel) => null;

    public void Embed(CancellationToken cancel)
    {
        var shape = new DecoderModules(plan.Modules.Spec).Embedding;
        var rows = WeightRows.Of(plan.Source.Module(shape.Name, shape.Rows, shape.Columns));
        states.Write(0, write =>
        {
            foreach (var sample in plan.Samples)
            {
                cancel.ThrowIfCancellationRequested();
                var stream = new float[sample.Length * model];
                for (var t = 0; t < sample.Length; t++) rows.Read(sample[t], stream.AsSpan(t * model, model));
                precision.Round(stream);
                write(stream);
            }
        });
    }

    public PartChanges Run(int index, CancellationToken cancel, out LayerNote note)
    {
        using var layer = new MatchedLayer(plan, index);
        var stream = Attend(index, cancel);
        if (layer.Experts is not { } experts)
            throw new BadInputException(plan.Source.Folder, $"model.layers.{index}",
                "expected routed experts in every layer, which is what is matched");
        var input = Input(index) ?? layer.Normed(stream, null);
        var results = new List<SmoothingResult>();
        if (plan.Mappings[index] is { } mappings)
        {
            using var routed = Route(layer, layer.Router, input);
            var search = new MatchedSearch(version, precision, plan.Modules.Recipe.Smoothing!, layer.Scheme, !plan.Settings.Routed);
            results.AddRange(search.Run(new($"model.layers.{index}", experts.Spec.Names, input, starts, routed, layer.Expert), mappings, cancel));
            layer.Take(results, mappings);
        }
        Finish(index, layer, stream, cancel);
        done(1, 1);
        note = new LayerNote(null, [.. results]);
        return layer.Changes();
    }

    public void Skip(int index, CancellationToken cancel) => Run(index, cancel, out _);

    public void Dispose() => given?.Dispose();

    // The second pass: what the next layer sees comes from the smoothed weights.
    private void Finish(int index, MatchedLayer layer, float[] stream, CancellationToken cancel)
    {
        var input = layer.Normed(stream, layer.NormScales);
        using var routed = Route(layer, layer.SmoothedRouter, input);
        var output = new float[stream.Length];
        var block = new MatchedBlock(precision, version.RoundsRouting, model, layer.Experts!.Spec.Hidden);
        for (var e = 0; e < routed.Experts; e++)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = block.Rows(input, routed, e);
            if (rows.Length == 0) continue;
            var expert = layer.Smoothed(e);
            block.Add(output, routed, e, block.Project(expert.Down, block.Activate(expert.Gate, expert.Up, rows)));
        }
        for (var i = 0; i < stream.Length; i++) stream[i] = precision.Round(stream[i] + output[i]);
        states.Write(index + 1, write => write(stream));
    }

    private float[] Attend(int index, CancellationToken cancel)
    {
        var stream = new float[starts[^1] * model];
        states.Read(index, 0, stream);
        var attention = new MatchedAttention(plan.Source, plan.Modules.Spec, index, precision);
        for (var i = 0; i + 1 < starts.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            attention.AddTo(stream.AsSpan(starts[i] * model, (starts[i + 1] - starts[i]) * model));
        }
        return stream;
    }

    private float[]? Input(int index)
    {
        if (given is null || !given.Tensors.TryGetValue(FormattableString.Invariant($"layers.{index}.moe_input"), out var entry)) return null;
        if (entry.Shape is not [var tokens, var columns] || tokens != starts[^1] || columns != model || entry.Type is not (DType.BF16 or DType.F32))
            throw new BadInputException(entry.File, entry.Label,
                $"expected BF16 or F32 [{starts[^1]}, {model}], found {entry.Type.FileName()} {entry.ShapeText}");
        var bytes = new byte[entry.Length];
        given.Read(entry, bytes, 0);
        var input = new float[starts[^1] * model];
        TensorValues.ToFloats(entry.Type, bytes, input);
        return input;
    }

    private ExpertPlan Route(MatchedLayer layer, float[] router, float[] input) =>
        MatchedRouter.Run(device, router, layer.Correction, layer.Experts!.Spec.Routing, precision, input, model);
}
