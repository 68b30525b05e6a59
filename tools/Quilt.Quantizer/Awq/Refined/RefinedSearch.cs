using System.Numerics.Tensors;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>How a try turned out.</summary>
/// <param name="Inputs">a of x^a / w^b.</param>
/// <param name="Weights">b.</param>
/// <param name="Scales">[channels].</param>
/// <param name="Gain">Its error by that of scales of one; 1 where these won.</param>
internal sealed record RefinedScales(double Inputs, double Weights, float[] Scales, double Gain);

/// <summary>What was found for one expert.</summary>
/// <param name="Up">What the rows of up are divided by; null: nothing.</param>
/// <param name="GateGroups">[width, groups] scales of gate's codes; empty where they have zero points.</param>
/// <param name="UpGroups">[width, groups].</param>
/// <param name="DownGroups">[model, groups].</param>
/// <param name="Before">Relative error of the expert's output, by the squares of the gates, with plain rounding.</param>
/// <param name="After">The same as it is stored.</param>
/// <param name="Routed">Tokens that the router sends there.</param>
internal sealed record RefinedExpert(
    RefinedScales? Up, float[] GateGroups, float[] UpGroups, float[] DownGroups, double Before, double After, int Routed);

/// <summary>
/// Finds scales for a layer with routed experts (docs/quantization.md, "What Quilt does instead"): an error counts where the router sends tokens, a
/// grid of two exponents with scales of one in it, and in the end the scale of each group by what meets it.
/// </summary>
internal sealed class RefinedSearch : IDisposable
{
    // Of a large model a hundred tokens an expert: what they cost is what a run costs. Of a small one, whatever there is.
    private const int FewTokens = 128;
    private const int ManyTokens = 1024;
    private const long LargeExpert = 1 << 20;
    private const int LeastTokens = 64;
    private const int Finalists = 6;
    private const int RowsAtOnce = 1024;
    private readonly CpuDevice device;
    private readonly OpStream ops;
    private readonly int model;
    private readonly int width;
    private readonly RowCoder wide;
    private readonly RowCoder narrow;
    private readonly (float[] Wide, float[] Narrow) tried;
    private readonly (PlainWeight Gate, PlainWeight Up, PlainWeight Down) plain;
    private readonly (CodedWeight Gate, CodedWeight Up, CodedWeight Down) coded;

    /// <summary>A search in layers of one shape.</summary>
    /// <param name="device">Who works.</param>
    /// <param name="scheme">How the experts are stored.</param>
    /// <param name="type">The dtype of their weights.</param>
    /// <param name="model">Width of the residual stream.</param>
    /// <param name="width">Width inside an expert.</param>
    public RefinedSearch(CpuDevice device, WeightScheme scheme, DType type, int model, int width)
    {
        (this.device, this.model, this.width) = (device, model, width);
        ops = new OpStream(device);
        (wide, narrow) = (new RowCoder(type, scheme, model), new RowCoder(type, scheme, width));
        plain = (new(width, model), new(width, model), new(model, width));
        tried = (new float[width * wide.Groups], new float[model * narrow.Groups]);
        coded = (new(wide, width, model), new(wide, width, model), new(narrow, model, width));
    }

    /// <summary>
    /// The scales of the norm: Σ over experts and their tokens of gate² · Σ_c (Δa_c)² · |down_c|², a the activation that enters down.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="experts">Those that are asked.</param>
    /// <param name="cancel">Stops.</param>
    public RefinedScales SearchNorm(LayerInput layer, IReadOnlyList<int> experts, CancellationToken cancel)
    {
        var means = new WeightMeans(Precision.Float32, model, wide.Group);
        for (var i = 0; i < experts.Count; i++)
        {
            var matrices = layer.Take(experts[i], experts[(i + 1) % experts.Count]);
            means.Add(matrices.Gate);
            means.Add(matrices.Up);
        }
        return Best(new ScaleGrid(Moments.MeanSizes(layer.Input, model), means.Result), (grid, search) =>
        {
            var losses = new double[grid.Count];
            for (var i = 0; i < experts.Count; i++)
            {
                cancel.ThrowIfCancellationRequested();
                AddLosses(layer, experts[i], experts[(i + 1) % experts.Count], grid, search, losses);
            }
            return losses;
        });
    }

    /// <summary>Takes the weights of the expert that comes next.</summary>
    public void Set(ExpertMatrices matrices)
    {
        plain.Gate.Set(device.Pool, matrices.Gate);
        plain.Up.Set(device.Pool, matrices.Up);
        plain.Down.Set(device.Pool, matrices.Down);
    }

    /// <summary>Adds what the expert says of its tokens, times their gates, to the residual streams [tokens, model].</summary>
    public void Forward(float[] input, ExpertPlan plan, int e, Matrix streams)
    {
        for (var pair = plan.Offsets[e]; pair < plan.Offsets[e + 1]; pair += RowsAtOnce)
        {
            var tokens = plan.PairToken.AsSpan(pair, Math.Min(RowsAtOnce, plan.Offsets[e + 1] - pair)).ToArray();
            ops.Reset();
            var y = ProjectPlain(Gather(input, tokens));
            for (var i = 0; i < tokens.Length; i++)
            {
                TensorPrimitives.MultiplyAdd(y.Row(i), plan.GateOf(tokens[i], e), streams.Row(tokens[i]), streams.Row(tokens[i]));
            }
        }
    }

    /// <summary>The scales of one expert.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="e">Which expert.</param>
    /// <param name="matrices">Its weights, which <see cref="Set"/> has been given.</param>
    /// <param name="norm">[model] what their columns are multiplied with and their input divided by.</param>
    /// <param name="smooth">Whether the rows of up may be divided.</param>
    /// <param name="errors">What collects the error of the block; null: nobody asks.</param>
    public RefinedExpert SearchExpert(LayerInput layer, int e, ExpertMatrices matrices, float[] norm, bool smooth, BlockErrors? errors)
    {
        var sample = ExpertSample.Of(layer.Plan, e, (long)model * width >= LargeExpert ? FewTokens : ManyTokens, LeastTokens);
        ops.Reset();
        var x = Gather(layer.Input, sample.Tokens);
        var a = Activate(x);
        var wanted = ops.Scratch(a.Rows, model);
        plain.Down.MatMul(ops, a, wanted);

        var up = smooth ? SearchUp(matrices.Down, a, wanted, sample.Weights) : null;
        var scales = up?.Scales ?? Moments.Ones(width);
        var meets = Moments.MeanSquares(x, sample.Weights, norm);
        var gateGroups = Fit(wide, matrices.Gate, norm, [], meets, new float[width * wide.Groups]);
        var upGroups = Fit(wide, matrices.Up, norm, scales, meets, new float[width * wide.Groups]);
        var downGroups = Fit(narrow, matrices.Down, scales, [], Moments.MeanSquares(a, sample.Weights, scales), new float[model * narrow.Groups]);
        var ones = Moments.Ones(model);
        SetCoded(matrices, ones, Moments.Ones(width), [], [], []);
        var before = Moments.Relative(wanted, Project(x, ones), sample.Weights);
        errors?.Add(layer, e, BlockErrors.Kind.Before, rows => Project(Gather(layer.Input, rows), ones), ops);
        SetCoded(matrices, norm, scales, gateGroups, upGroups, downGroups);
        var after = Moments.Relative(wanted, Project(x, norm), sample.Weights);
        errors?.Add(layer, e, BlockErrors.Kind.After, rows => Project(Gather(layer.Input, rows), norm), ops);
        errors?.Add(layer, e, BlockErrors.Kind.Wanted, rows => ProjectPlain(Gather(layer.Input, rows)), ops);
        return new(up, gateGroups, upGroups, downGroups, before, after, sample.Routed);
    }

    public void Dispose()
    {
        ops.Dispose();
        plain.Gate.Dispose();
        plain.Up.Dispose();
        plain.Down.Dispose();
        coded.Gate.Dispose();
        coded.Up.Dispose();
        coded.Down.Dispose();
    }

    private void AddLosses(LayerInput layer, int e, int next, IReadOnlyList<ScaleGrid.Point> grid, bool search, double[] losses)
    {
        var matrices = layer.Take(e, next);
        var sample = ExpertSample.Of(layer.Plan, e, (long)model * width >= LargeExpert ? FewTokens : ManyTokens, LeastTokens);
        ops.Reset();
        var x = Gather(layer.Input, sample.Tokens);
        Set(matrices);
        var wanted = Activate(x);
        var squares = Moments.ColumnSquares(matrices.Down, width);
        for (var i = 0; i < grid.Count; i++)
        {
            var mark = ops.Mark();
            var scales = grid[i].Scales;
            var meets = search ? Moments.MeanSquares(x, sample.Weights, scales) : [];
            coded.Gate.Set(device.Pool, matrices.Gate, scales, [], search
                ? Fit(wide, matrices.Gate, scales, [], meets, tried.Wide, quick: true)
                : []);
            coded.Up.Set(device.Pool, matrices.Up, scales, [], search ? Fit(wide, matrices.Up, scales, [], meets, tried.Wide, quick: true) : []);
            losses[i] += Moments.WeightedError(wanted, ActivateCoded(Divide(x, scales)), sample.Weights, squares);
            ops.Release(mark);
        }
    }

    private RefinedScales SearchUp(float[] down, Matrix a, Matrix wanted, float[] weights)
    {
        var means = new WeightMeans(Precision.Float32, width, narrow.Group);
        means.Add(down);
        return Best(new ScaleGrid(Moments.WeightedSizes(a, weights), means.Result), (grid, search) =>
        {
            var losses = new double[grid.Count];
            for (var i = 0; i < grid.Count; i++)
            {
                var mark = ops.Mark();
                var scales = grid[i].Scales;
                coded.Down.Set(device.Pool, down, scales, [],
                    search ? Fit(narrow, down, scales, [], Moments.MeanSquares(a, weights, scales), tried.Narrow, quick: true) : []);
                var found = ops.Scratch(a.Rows, model);
                coded.Down.MatMul(ops, Divide(a, scales), found);
                losses[i] = Moments.WeightedError(wanted, found, weights, []);
                ops.Release(mark);
            }
            return losses;
        });
    }

    // Plain rounding judges all points; the scales of the groups, which cost more to find than a product, only the best of them and scales of one.
    private RefinedScales Best(ScaleGrid grid, Func<IReadOnlyList<ScaleGrid.Point>, bool, double[]> lossesOf)
    {
        var wideMesh = grid.Wide();
        var judged = wideMesh.Zip(lossesOf(wideMesh, false)).ToList();
        var around = grid.Around(judged.MinBy(point => point.Second).First);
        judged.AddRange(around.Zip(lossesOf(around, false)));
        if (wide.Symmetric)
        {
            ScaleGrid.Point[] last = [judged[0].First, .. judged.Skip(1).OrderBy(point => point.Second).Take(Finalists).Select(point => point.First)];
            judged = [.. last.Zip(lossesOf(last, true))];
        }
        var (best, loss) = judged.MinBy(point => point.Second);
        return new(best.Inputs, best.Weights, best.Scales, judged[0].Second > 0 ? Math.Sqrt(loss / judged[0].Second) : 1);
    }

    /// <summary>The best scale of each group, in <paramref name="into"/>; none where codes have zero points.</summary>
    private float[] Fit(RowCoder coder, float[] values, float[] columnScales, float[] rowDivisors, float[] meets, float[] into, bool quick = false)
    {
        if (!coder.Symmetric) return [];
        GroupScaleSearch.Run(device.Pool, coder, values, columnScales, rowDivisors, meets, into, quick);
        return into;
    }

    private void SetCoded(ExpertMatrices matrices, float[] norm, float[] up, float[] gateGroups, float[] upGroups, float[] downGroups)
    {
        coded.Gate.Set(device.Pool, matrices.Gate, norm, [], gateGroups);
        coded.Up.Set(device.Pool, matrices.Up, norm, up, upGroups);
        coded.Down.Set(device.Pool, matrices.Down, up, [], downGroups);
    }

    /// <summary>silu(gate · x) · (up · x) [rows, width].</summary>
    private Matrix Activate(Matrix x)
    {
        var (gate, up) = (ops.Scratch(x.Rows, width), ops.Scratch(x.Rows, width));
        plain.Gate.MatMul(ops, x, gate);
        plain.Up.MatMul(ops, x, up);
        ops.SiluMul(gate, up, gate);
        return gate;
    }

    private Matrix ActivateCoded(Matrix x)
    {
        var (gate, up) = (ops.Scratch(x.Rows, width), ops.Scratch(x.Rows, width));
        coded.Gate.MatMul(ops, x, gate);
        coded.Up.MatMul(ops, x, up);
        ops.SiluMul(gate, up, gate);
        return gate;
    }

    // What up's rows were divided by, down's columns were multiplied with: the activation comes out divided, as down takes it.
    private Matrix Project(Matrix x, float[] norm)
    {
        var y = ops.Scratch(x.Rows, model);
        coded.Down.MatMul(ops, ActivateCoded(Divide(x, norm)), y);
        return y;
    }

    private Matrix ProjectPlain(Matrix x)
    {
        var y = ops.Scratch(x.Rows, model);
        plain.Down.MatMul(ops, Activate(x), y);
        return y;
    }

    private Matrix Gather(float[] input, int[] tokens)
    {
        var rows = ops.Scratch(tokens.Length, model);
        for (var i = 0; i < tokens.Length; i++) input.AsSpan(tokens[i] * model, model).CopyTo(rows.Row(i));
        return rows;
    }

    private Matrix Divide(Matrix x, float[] by)
    {
        var divided = ops.Scratch(x.Rows, x.Columns);
        for (var t = 0; t < x.Rows; t++) TensorPrimitives.Divide(x.Row(t), by, divided.Row(t));
        return divided;
    }
}
