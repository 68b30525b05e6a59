using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>One layer of a match: its weights, the scales that were found, and what is written of it.</summary>
internal sealed class MatchedLayer : IDisposable
{
    private readonly Precision precision;
    private readonly IReadOnlyDictionary<string, PlannedModule> modules;
    private readonly TensorEntry norm;
    private readonly float[] gains;
    private readonly MatchedAttention attention;
    private readonly double[]?[] up;
    private bool scalesRouter;

    public MatchedLayer(CalibrationPlan plan, int index)
    {
        precision = plan.Precision;
        modules = plan.Modules.ModulesOf(index);
        var layer = new DecoderModules(plan.Modules.Spec).Layer(index);
        Experts = layer.Experts;
        norm = plan.Source.Find(layer.FeedForwardNorm.Name)!;
        gains = plan.Source.Vector(layer.FeedForwardNorm.Name, layer.FeedForwardNorm.Length);
        attention = new MatchedAttention(plan.Source, plan.Modules.Spec, index, precision);
        up = new double[]?[Experts?.Spec.Experts ?? 0];
        Router = Experts is null ? [] : Values(Experts.Router);
        if (Experts?.Correction is not { } shape) return;
        Correction = new NativeBuffer(shape.Length * sizeof(float));
        plan.Source.Vector(shape.Name, shape.Length).CopyTo(Correction.Span<float>(0, shape.Length));
    }

    /// <summary>Its experts; null where it has none.</summary>
    public ExpertModules? Experts { get; }

    /// <summary>[experts, model] as the source has it.</summary>
    public float[] Router { get; }

    /// <summary>[experts] the bias on the choice; null: none.</summary>
    public NativeBuffer? Correction { get; }

    /// <summary>How its experts are stored.</summary>
    public WeightScheme Scheme => modules[Experts!.Gate(0).Name].Scheme!;

    /// <summary>[model] what the norm is divided by; null: nothing.</summary>
    public double[]? NormScales { get; private set; }

    /// <summary>The router as it is written.</summary>
    public float[] SmoothedRouter => scalesRouter ? SmoothedWeights.Columns(Router, NormScales, precision) : Router;

    /// <summary>An expert as the source has it.</summary>
    public ExpertMatrices Expert(int e) => new(Values(Experts!.Gate(e)), Values(Experts.Up(e)), Values(Experts.Down(e)));

    /// <summary>An expert with its scales.</summary>
    public ExpertMatrices Smoothed(int e) => SmoothedWeights.Of(Expert(e), NormScales, up[e], precision);

    /// <summary>What the experts read: the norm, over its scales, of the streams [tokens, model].</summary>
    public float[] Normed(float[] stream, double[]? scales) => attention.Norm(stream, SmoothedWeights.Rows(gains, scales, precision));

    /// <summary>Takes what the search found: perhaps the norm's scales, then those of some experts.</summary>
    public void Take(IEnumerable<SmoothingResult> results, LayerMappings mappings)
    {
        scalesRouter = mappings.Router;
        string[] names = [.. Enumerable.Range(0, up.Length).Select(e => Experts!.Up(e).Name)];
        foreach (var result in results)
        {
            var e = Array.FindIndex(names, name => name == result.Smooth);
            if (e < 0) NormScales = result.Scales;
            else up[e] = result.Scales;
        }
    }

    public void Dispose() => Correction?.Dispose();

    /// <summary>What is written otherwise than the source has it.</summary>
    public PartChanges Changes()
    {
        var weights = new Dictionary<string, WeightRows>();
        for (var e = 0; e < up.Length; e++)
        {
            var (norms, ups) = (NormScales, up[e]);
            if (norms is not null) Put(modules[Experts!.Gate(e).Name], rows => SmoothedWeights.Columns(rows, norms, precision));
            Put(modules[Experts!.Up(e).Name], rows => SmoothedWeights.Columns(rows, norms, precision), ups);
            if (ups is not null) Put(modules[Experts.Down(e).Name], rows => SmoothedWeights.Columns(rows, ups, precision));
        }
        if (scalesRouter && NormScales is not null)
            Put(modules[Experts!.Router.Name], rows => SmoothedWeights.Columns(rows, NormScales, precision));
        var vectors = new Dictionary<string, float[]>();
        if (NormScales is not null) vectors[WeightTensors.NameOf(norm)] = SmoothedWeights.Rows(gains, NormScales, Precision);
        return new PartChanges { Weights = weights, Vectors = vectors };

        void Put(PlannedModule module, Func<float[], float[]> columns, double[]? divisors = null)
        {
            var source = WeightRows.Of(module.Stored);
            weights[module.Name] = source.Changed((first, into) =>
            {
                source.Read(first, into);
                var scaled = columns(into.ToArray());
                if (divisors is not null)
                {
                    for (var i = 0; i < scaled.Length; i++) scaled[i] = precision.Round(scaled[i] / divisors[first + (i / source.Columns)]);
                }
                scaled.CopyTo(into);
            });
        }
    }

    // The norm is of the model's type too.
    private Precision Precision => norm.Type == DType.BF16 ? Precision.BFloat16 : precision;

    private float[] Values(ModuleShape shape)
    {
        var values = modules[shape.Name].Stored.Dequantize();
        precision.Round(values);
        return values;
    }
}
