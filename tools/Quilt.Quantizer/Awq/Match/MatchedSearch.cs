using Quilt.Kernels.Ops;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Awq.Match;

/// <summary>What the search in one layer looks at.</summary>
/// <param name="Path">model.layers.N, for names.</param>
/// <param name="Names">What experts and their parts are called there.</param>
/// <param name="Input">[tokens, model] what the norm before the experts gives, all samples one after another.</param>
/// <param name="Starts">[samples + 1] the first row of each.</param>
/// <param name="Plan">Which token goes where.</param>
/// <param name="Expert">The matrices of an expert, unscaled.</param>
internal sealed record LayerUnderSearch(
    string Path, Runtime.Models.ExpertNames Names, float[] Input, int[] Starts, ExpertPlan Plan, Func<int, ExpertMatrices> Expert);

/// <summary>
/// AWQ's grid search over one layer with routed experts as a release of llm-compressor does it (docs/quantization.md, "Matching llm-compressor"):
/// the norm's scales by the error of the whole block, those of each up by the error of down alone; all from weights before anything was scaled.
/// </summary>
/// <param name="version">Which release.</param>
/// <param name="precision">In what type the model computes.</param>
/// <param name="smoothing">The recipe's settings.</param>
/// <param name="scheme">How the experts are stored.</param>
/// <param name="everyToken">Whether each expert sees all tokens, or those that are routed to it.</param>
internal sealed class MatchedSearch(
    MatchVersion version, Precision precision, Smoothing smoothing, WeightScheme scheme, bool everyToken)
{
    private readonly GridPoint[] grid = RatioGrid.Of(version, smoothing);

    /// <summary>The results in the order in which the release works: the norm, then the experts.</summary>
    /// <exception cref="InvalidOperationException">No try has a finite error.</exception>
    public IReadOnlyList<SmoothingResult> Run(LayerUnderSearch layer, LayerMappings mappings, CancellationToken cancel)
    {
        var first = layer.Expert(0);
        var model = layer.Input.Length / layer.Starts[^1];
        var block = new MatchedBlock(precision, version.RoundsRouting, model, first.Gate.Length / model);
        var results = new List<SmoothingResult>();
        if (mappings.Norm && SearchNorm(layer, mappings, block, model, cancel) is { } norm) results.Add(norm);
        for (var e = 0; mappings.Up && e < layer.Plan.Experts; e++)
        {
            cancel.ThrowIfCancellationRequested();
            if (SearchUp(layer, block, e, model) is { } up) results.Add(up);
        }
        return results;
    }

    private SmoothingResult? SearchNorm(LayerUnderSearch layer, LayerMappings mappings, MatchedBlock block, int model, CancellationToken cancel)
    {
        var fake = new FakeQuantizer(scheme, model, precision);
        var inputs = new InputMeans(version.Means, precision, model);
        var seen = everyToken || mappings.RouterFirst ? layer.Input : block.Rows(layer.Input, layer.Plan, 0);
        foreach (var (start, end) in Samples(layer, everyToken || mappings.RouterFirst ? null : 0))
            inputs.Add(seen.AsSpan(start * model, (end - start) * model));
        if (inputs.Tokens == 0) return null;
        // A router is not quantized, which is why it does not count here.
        var weights = new WeightMeans(precision, model, fake.Group);
        for (var e = 0; e < layer.Plan.Experts; e++) weights.Add(layer.Expert(e).Gate);
        for (var e = 0; e < layer.Plan.Experts; e++) weights.Add(layer.Expert(e).Up);

        var wanted = Block(null);
        return Search($"{layer.Path}.post_attention_layernorm", inputs, weights, model, scales =>
        {
            var found = Block(scales);
            var loss = new LossSum(version.Losses, precision);
            foreach (var (start, end) in Samples(layer, null))
            {
                var (from, count) = (start * model, (end - start) * model);
                loss.Add(wanted.AsSpan(from, count), found.AsSpan(from, count));
            }
            return loss.Result;
        });

        float[] Block(double[]? scales)
        {
            var output = new float[layer.Input.Length];
            var (gate, up) = (Array.Empty<float>(), Array.Empty<float>());
            for (var e = 0; e < layer.Plan.Experts; e++)
            {
                cancel.ThrowIfCancellationRequested();
                var rows = block.Rows(layer.Input, layer.Plan, e);
                if (rows.Length == 0) continue;
                var expert = layer.Expert(e);
                if (scales is null) (gate, up) = (expert.Gate, expert.Up);
                else
                {
                    if (gate.Length == 0) (gate, up) = (new float[expert.Gate.Length], new float[expert.Up.Length]);
                    fake.Run(expert.Gate, scales, gate);
                    fake.Run(expert.Up, scales, up);
                }
                block.Add(output, layer.Plan, e, block.Project(expert.Down, block.Activate(gate, up, rows)));
            }
            return output;
        }
    }

    private SmoothingResult? SearchUp(LayerUnderSearch layer, MatchedBlock block, int e, int model)
    {
        var expert = layer.Expert(e);
        var width = expert.Gate.Length / model;
        var x = everyToken ? layer.Input : block.Rows(layer.Input, layer.Plan, e);
        if (x.Length == 0) return null;
        var a = block.Activate(expert.Gate, expert.Up, x);
        var samples = Samples(layer, everyToken ? null : e).ToArray();
        var inputs = new InputMeans(version.Means, precision, width);
        foreach (var (start, end) in samples) inputs.Add(a.AsSpan(start * width, (end - start) * width));

        var fake = new FakeQuantizer(scheme, width, precision);
        var weights = new WeightMeans(precision, width, fake.Group);
        weights.Add(expert.Down);
        var wanted = block.Project(expert.Down, a);
        var down = new float[expert.Down.Length];
        return Search($"{layer.Path}.{layer.Names.Experts}.{e}.{layer.Names.Up}", inputs, weights, width, scales =>
        {
            fake.Run(expert.Down, scales, down);
            var found = block.Project(down, a);
            var loss = new LossSum(version.Losses, precision);
            foreach (var (start, end) in samples)
            {
                var (from, count) = (start * model, (end - start) * model);
                loss.Add(wanted.AsSpan(from, count), found.AsSpan(from, count));
            }
            return loss.Result;
        });
    }

    private SmoothingResult Search(string name, InputMeans inputs, WeightMeans weights, int channels, Func<double[], double> lossOf)
    {
        var (x, w) = (inputs.Result, weights.Result);
        var losses = new double[grid.Length];
        var (best, scales) = (-1, Array.Empty<double>());
        for (var g = 0; g < grid.Length; g++)
        {
            var tried = SmoothScales.Of(x, inputs.ResultPrecision, w, grid[g].Ratio, grid[g].Duo);
            losses[g] = lossOf(tried);
            if (losses[g] < (best < 0 ? double.PositiveInfinity : losses[best])) (best, scales) = (g, tried);
        }
        if (best < 0) throw new InvalidOperationException($"{name}: expected a finite error for one of {grid.Length} ratios, found none.");
        return new(name, x, inputs.ResultPrecision, w, losses, best, grid[best].IsIdentity ? -1 : grid[best].Ratio, scales, inputs.Tokens);
    }

    /// <summary>The rows of each sample: of all tokens, or of those of one expert among its own.</summary>
    private static IEnumerable<(int Start, int End)> Samples(LayerUnderSearch layer, int? expert)
    {
        if (expert is not { } e)
        {
            for (var i = 0; i + 1 < layer.Starts.Length; i++) yield return (layer.Starts[i], layer.Starts[i + 1]);
            yield break;
        }
        var (first, end) = (layer.Plan.Offsets[e], layer.Plan.Offsets[e + 1]);
        var at = first;
        for (var i = 0; i + 1 < layer.Starts.Length; i++)
        {
            var start = at;
            while (at < end && layer.Plan.PairToken[at] < layer.Starts[i + 1]) at++;
            yield return (start - first, at - first);
        }
    }
}
