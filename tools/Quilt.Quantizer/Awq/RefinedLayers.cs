using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Quantizer.Awq.Refined;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// Takes all samples through one layer after another, by the kernels of inference and with the official weights, and finds the scales of each layer's
/// experts on the way. Of a layer's experts two are in memory at a time; of the samples, as many as the memory is for.
/// </summary>
internal sealed partial class RefinedLayers : ILayerCalibration
{
    // Experts whose errors choose the norm's scales: these are one for all.
    private const int AskedExperts = 32;
    private const int ErrorTokens = 1024;
    private readonly QuantizePlan plan;
    private readonly CpuDevice device;
    private readonly StateFile states;
    private readonly CalibrationBatches batches;
    private readonly LayerMappings?[] mappings;
    private readonly CheckpointParts parts;
    private readonly EngineOptions options;
    private readonly OpStream ops;
    private readonly Action<int, int> expertDone;
    private float[] input = [];
    private RefinedSearch? search;

    /// <summary>Layers of one run.</summary>
    /// <param name="calibration">What is to be done.</param>
    /// <param name="device">Who works.</param>
    /// <param name="states">Where the samples' streams are.</param>
    /// <param name="expertDone">Hears of experts that are done, and how many the layer has.</param>
    public RefinedLayers(CalibrationPlan calibration, CpuDevice device, StateFile states, Action<int, int> expertDone)
    {
        (plan, mappings, batches) = (calibration.Modules, calibration.Mappings, calibration.Batches);
        (this.device, this.states, this.expertDone) = (device, states, expertDone);
        parts = new CheckpointParts(plan.Source, device, null, default);
        options = new EngineOptions { Threads = device.Pool.Threads };
        ops = new OpStream(device);
    }

    public void Embed(CancellationToken cancel)
    {
        using var embedding = parts.Weight([new DecoderModules(plan.Spec).Embedding]);
        states.Write(0, write =>
        {
            foreach (var batch in batches.All)
            {
                cancel.ThrowIfCancellationRequested();
                using var streams = new PromptStreams(plan.Spec, device, options, batch.Prompts);
                streams.Embed(embedding);
                write(streams.Rows.Values);
            }
        });
    }

    public PartChanges Run(int index, CancellationToken cancel, out LayerNote note)
    {
        using var layer = DecoderWeights.LoadLayer(plan.Spec, parts, index, experts: false);
        if (new DecoderModules(plan.Spec).Layer(index).Experts is not { } experts)
        {
            Forward(index, layer, null, null, cancel);
            note = new LayerNote(null, []);
            return PartChanges.None;
        }
        using var routing = new LayerRouter(experts, parts, ops);
        var found = new RefinedLayer(plan, index, experts);
        Forward(index, layer, routing, mappings[index] is { } wanted
            ? (input, rows) => Search(found, wanted, routing, input, rows, cancel)
            : null, cancel);
        note = new LayerNote(found.Report(), []);
        return found.Changes;
    }

    public void Skip(int index, CancellationToken cancel)
    {
        using var layer = DecoderWeights.LoadLayer(plan.Spec, parts, index, experts: false);
        using var routing = new DecoderModules(plan.Spec).Layer(index).Experts is { } experts ? new LayerRouter(experts, parts, ops) : null;
        Forward(index, layer, routing, null, cancel);
    }

    public void Dispose()
    {
        search?.Dispose();
        ops.Dispose();
    }

    // The first batch is what scales are found by; the others only go through.
    private void Forward(int index, DecoderLayer layer, LayerRouter? routing, Action<LayerInput, Matrix>? find, CancellationToken cancel)
    {
        var loader = routing is null ? null : Loader(index);
        states.Write(index + 1, write =>
        {
            foreach (var batch in batches.All)
            {
                cancel.ThrowIfCancellationRequested();
                using var streams = new PromptStreams(plan.Spec, device, options, batch.Prompts);
                states.Read(index, batch.First, streams.Rows.Values);
                if (input.Length != streams.Rows.Values.Length) input = new float[streams.Rows.Values.Length];
                streams.ForwardWithoutExperts(layer, input);
                if (routing is not null)
                {
                    using var choice = routing.Route(input);
                    var under = new LayerInput(input, choice, loader!.Take);
                    if (batch.First == 0 && find is not null) find(under, streams.Rows);
                    else Experts(under, streams.Rows, cancel);
                }
                write(streams.Rows.Values);
            }
        });
    }

    private void Experts(LayerInput input, Matrix streams, CancellationToken cancel)
    {
        var count = input.Plan.Experts;
        for (var e = 0; e < count; e++)
        {
            cancel.ThrowIfCancellationRequested();
            Searcher().Set(input.Take(e, e + 1 < count ? e + 1 : -1));
            search!.Forward(input.Input, input.Plan, e, streams);
        }
    }

    private void Search(RefinedLayer found, LayerMappings wanted, LayerRouter routing, LayerInput input, Matrix streams, CancellationToken cancel)
    {
        Searcher();
        if (wanted.Norm) found.SetNorm(search!.SearchNorm(input, Asked(input.Plan), cancel));
        found.Compare(routing, input);
        var errors = new BlockErrors(input.Plan.Tokens, ErrorTokens, plan.Spec.Hidden);
        for (var e = 0; e < input.Plan.Experts; e++)
        {
            cancel.ThrowIfCancellationRequested();
            var matrices = input.Take(e, e + 1 < input.Plan.Experts ? e + 1 : -1);
            search!.Set(matrices);
            search.Forward(input.Input, input.Plan, e, streams);
            found.SetExpert(e, search.SearchExpert(input, e, matrices, found.NormScales, wanted.Up, errors));
            expertDone(e + 1, input.Plan.Experts);
        }
        found.SetErrors(errors);
    }

    private RefinedSearch Searcher()
    {
        if (search is not null) return search;
        var modules = new DecoderModules(plan.Spec).Layers.First(layer => layer.Experts is not null).Experts!;
        var planned = plan.Modules.First(module => module.Shape.Name == modules.Gate(0).Name);
        return search = new RefinedSearch(device, planned.Scheme!, WeightRows.Of(planned.Stored).Type, plan.Spec.Hidden, modules.Spec.Hidden);
    }

    private ExpertLoader Loader(int index)
    {
        var modules = plan.ModulesOf(index);
        var experts = new DecoderModules(plan.Spec).Layer(index).Experts!;
        PlannedModule[] Of(Func<int, ModuleShape> shape) => [.. Enumerable.Range(0, experts.Spec.Experts).Select(e => modules[shape(e).Name])];
        return new ExpertLoader(Of(experts.Gate), Of(experts.Up), Of(experts.Down), device.Pool.Threads);
    }

    // Those that count most: an error counts as the square of its gate.
    private static int[] Asked(ExpertPlan plan)
    {
        var squares = new double[plan.Experts];
        for (var i = 0; i < plan.Pairs; i++) squares[plan.Ids[i]] += (double)plan.Gates[i] * plan.Gates[i];
        return [.. Enumerable.Range(0, plan.Experts).OrderByDescending(e => squares[e]).ThenBy(e => e).Take(AskedExperts).Order()];
    }
}
