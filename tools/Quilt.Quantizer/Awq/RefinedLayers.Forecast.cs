using System.Diagnostics;
using Quilt.Kernels.Ops;
using Quilt.Quantizer.Awq.Refined;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

// How long a layer takes: each kind of work is tried once, after a first time that is not counted, and taken as often as a layer has it.
internal sealed partial class RefinedLayers
{
    private const int TrialTokens = 512;
    private const int TrialRows = 2048;
    private const long LeastWeights = 1L << 26;

    /// <summary>How long a layer with experts will take; null where the model has none.</summary>
    public TimeSpan? Forecast(CancellationToken cancel)
    {
        var index = Array.FindIndex(mappings, mapping => mapping is not null);
        if (index < 0) return null;
        var spec = plan.Spec.Experts!;
        // A small layer takes less time than the trial.
        if ((long)spec.Experts * spec.Hidden * plan.Spec.Hidden < LeastWeights) return null;
        using var layer = DecoderWeights.LoadLayer(plan.Spec, parts, index, experts: false);
        var experts = new DecoderModules(plan.Spec).Layer(index).Experts!;
        using var routing = new LayerRouter(experts, parts, ops);
        var attention = Attention(layer, out var rows);
        while (rows.Length < TrialRows * plan.Spec.Hidden) rows = [.. rows, .. rows];
        using var choice = routing.Route(rows);
        var loader = Loader(index);
        var under = new LayerInput(rows, choice, loader.Take);
        var (expert, norm) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var e = 0; e < Math.Min(3, choice.Experts); e++)
        {
            cancel.ThrowIfCancellationRequested();
            expert = Expert(under, e, mappings[index]!, index);
            if (e < 2) norm = Time(() => Searcher().SearchNorm(under, [e], cancel));
        }
        var asked = mappings[index]!.Norm ? Math.Min(AskedExperts, choice.Experts) : 0;
        return (attention * batches.Tokens) + (expert * choice.Experts) + (norm * asked);
    }

    // A token's share.
    private TimeSpan Attention(DecoderLayer layer, out float[] rows)
    {
        var prompt = batches.All[0].Prompts[0].Take(TrialTokens).ToArray();
        using var streams = new PromptStreams(plan.Spec, device, options, [prompt]);
        var random = new Random(1);
        foreach (ref var value in streams.Rows.Values) value = random.NextSingle() - 0.5f;
        var found = new float[streams.Rows.Values.Length];
        streams.ForwardWithoutExperts(layer, found);
        var time = Time(() => streams.ForwardWithoutExperts(layer, found));
        rows = found;
        return time / prompt.Length;
    }

    private TimeSpan Expert(LayerInput under, int e, LayerMappings wanted, int index)
    {
        var search = Searcher();
        var ones = Moments.Ones(plan.Spec.Hidden);
        var errors = new BlockErrors(under.Plan.Tokens, ErrorTokens * (long)under.Plan.Tokens / Math.Max(under.Plan.Tokens, batches.Tokens),
            plan.Spec.Hidden);
        var streams = ops.HostScratch(under.Plan.Tokens, plan.Spec.Hidden);
        streams.Values.Clear();
        ExpertMatrices? matrices = null;
        RefinedExpert? found = null;
        var once = Time(() =>
        {
            matrices = under.Take(e, -1);
            search.Set(matrices);
            found = search.SearchExpert(under, e, matrices, ones, wanted.Up, errors);
        });
        var forward = Time(() => search.Forward(under.Input, under.Plan, e, streams));
        var pairs = Math.Max(1, under.Plan.Offsets[e + 1] - under.Plan.Offsets[e]);
        var share = batches.Tokens * under.Plan.PerToken / (double)under.Plan.Experts / pairs;
        return once + (forward * share) + Time(() => Write(index, e, found!));
    }

    private void Write(int index, int e, RefinedExpert found)
    {
        var modules = plan.ModulesOf(index);
        var experts = new DecoderModules(plan.Spec).Layer(index).Experts!;
        var loop = new RowLoop(device.Pool.Threads, default);
        foreach (var (shape, scales) in new[] { (experts.Gate(e), found.GateGroups), (experts.Up(e), found.UpGroups),
            (experts.Down(e), found.DownGroups) })
        {
            var module = modules[shape.Name];
            foreach (var tensor in ModuleWriter.Tensors(module.Name, WeightRows.Of(module.Stored), module.Scheme!, official: false, loop,
                scales.Length > 0 ? scales : null))
                tensor.WriteTo(Stream.Null);
        }
    }

    private static TimeSpan Time(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start);
    }
}
