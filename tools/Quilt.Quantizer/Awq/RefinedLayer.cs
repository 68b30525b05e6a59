using Quilt.Formats.Tensors;
using Quilt.Quantizer.Awq.Refined;
using Quilt.Quantizer.Numerics;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Report;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// What was found in one layer, and what is written of it: the norm over its scales, the router and gate and up times them, and so on.
/// </summary>
internal sealed class RefinedLayer
{
    private const int ComparedTokens = 4096;
    private readonly QuantizePlan plan;
    private readonly int index;
    private readonly ExpertModules experts;
    private readonly RefinedExpert?[] found;
    private readonly IReadOnlyDictionary<string, PlannedModule> modules;
    private readonly TensorEntry norm;
    private readonly float[] normValues;
    private RefinedScales? chosen;
    private float[]? router;
    private BlockErrors? errors;
    private Agreement? agreement;
    private int[] tokens = [];

    public RefinedLayer(QuantizePlan plan, int index, ExpertModules experts)
    {
        (this.plan, this.index, this.experts) = (plan, index, experts);
        found = new RefinedExpert?[experts.Spec.Experts];
        modules = plan.ModulesOf(index);
        var shape = new DecoderModules(plan.Spec).Layer(index).FeedForwardNorm;
        norm = plan.Source.Find(shape.Name)!;
        normValues = plan.Source.Vector(shape.Name, shape.Length);
        NormScales = Moments.Ones(shape.Length);
    }

    /// <summary>[model] what the norm is divided by: exactly, with its rounding.</summary>
    public float[] NormScales { get; private set; }

    /// <summary>What is written otherwise than the source has it.</summary>
    public PartChanges Changes
    {
        get
        {
            var (weights, scales) = (new Dictionary<string, WeightRows>(), new Dictionary<string, float[]>());
            for (var e = 0; e < found.Length; e++)
            {
                if (found[e] is not { } expert) continue;
                var up = expert.Up?.Scales;
                Put(modules[experts.Gate(e).Name], NormScales, null, expert.GateGroups);
                Put(modules[experts.Up(e).Name], NormScales, up, expert.UpGroups);
                Put(modules[experts.Down(e).Name], up, null, expert.DownGroups);
            }
            var vectors = new Dictionary<string, float[]>();
            if (chosen is not null)
            {
                vectors[WeightTensors.NameOf(norm)] = [.. normValues.Select((value, c) => value / NormScales[c])];
                if (router is not null)
                {
                    var module = modules[experts.Router.Name];
                    var values = router;
                    weights[module.Name] = new WeightRows(module.Name, "computed", DType.F32, module.Shape.Rows, module.Shape.Columns,
                        (first, into) => values.AsSpan(first * module.Shape.Columns, into.Length).CopyTo(into));
                }
            }
            return new PartChanges { Weights = weights, Scales = scales, Vectors = vectors };

            void Put(PlannedModule module, float[]? columns, float[]? rows, float[] groups)
            {
                weights[module.Name] = ScaledRows.Of(module.Stored, columns, rows);
                if (groups.Length > 0) scales[module.Name] = groups;
            }
        }
    }

    /// <summary>
    /// Takes the norm's scales. The norm is rounded when it is written; what it is really divided by is then what all else is multiplied with.
    /// </summary>
    public void SetNorm(RefinedScales scales)
    {
        chosen = scales;
        for (var c = 0; c < NormScales.Length; c++)
        {
            var written = ScaledRow.Round(norm.Type, normValues[c] / scales.Scales[c]);
            NormScales[c] = written != 0 && float.IsFinite(written) ? normValues[c] / written : 1;
        }
    }

    /// <summary>Makes up for the norm in the router, and sees whether it still chooses the same.</summary>
    public void Compare(LayerRouter official, LayerInput input)
    {
        var plan = input.Plan;
        tokens = [.. Enumerable.Range(0, plan.Experts).Select(e => plan.Offsets[e + 1] - plan.Offsets[e])];
        if (chosen is null) return;
        var columns = NormScales.Length;
        router = official.Values();
        for (var i = 0; i < router.Length; i++) router[i] *= NormScales[i % columns];
        var divided = input.Input[..Math.Min(input.Input.Length, ComparedTokens * columns)];
        for (var i = 0; i < divided.Length; i++) divided[i] /= NormScales[i % columns];
        using var after = official.RouteBy(router, divided);
        agreement = Agreement.Of(plan.Ids.AsSpan(0, after.Pairs), after.Ids.AsSpan(0, after.Pairs), plan.PerToken);
    }

    /// <summary>Takes what was found for an expert.</summary>
    public void SetExpert(int e, RefinedExpert expert) => found[e] = expert;

    /// <summary>Takes the errors of all experts together.</summary>
    public void SetErrors(BlockErrors of) => errors = of;

    /// <summary>What is told of the layer.</summary>
    public LayerReport Report()
    {
        var logs = NormScales.Select(scale => Math.Abs(Math.Log2(Math.Abs(scale)))).Order().ToArray();
        return new(index)
        {
            Error = errors is null ? null : new(errors.Before, errors.After),
            Router = agreement,
            Ratios = chosen is null ? [] : [chosen.Inputs],
            MaxLog2Scale = chosen is null ? null : logs[^1],
            MedianLog2Scale = chosen is null ? null : logs[logs.Length / 2],
            Experts = [.. found.Select((expert, e) => new ExpertReport(expert is null ? null : new(expert.Before, expert.After), expert?.Up?.Inputs,
                tokens.Length > e ? tokens[e] : null))],
        };
    }
}
