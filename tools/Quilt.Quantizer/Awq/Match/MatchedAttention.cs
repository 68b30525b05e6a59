using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq.Match;

/// <summary>
/// The attention half of a layer as transformers runs it in the model's type: every product, norm, rotation and sum rounded to it, the softmax in
/// float32.
/// </summary>
/// <remarks>
/// Every token sees all of its sample, those behind it too: the releases run a layer by itself, without the mask that the model would give it, and
/// the inputs that they measured are those of such a pass, to the bit.
/// </remarks>
internal sealed class MatchedAttention
{
    private readonly Checkpoint source;
    private readonly DecoderSpec spec;
    private readonly LayerModules layer;
    private readonly Precision precision;
    private readonly float[] query;
    private readonly float[] key;
    private readonly float[] value;
    private readonly float[] output;

    /// <summary>Reads the weights of a layer.</summary>
    /// <exception cref="Formats.BadInputException">A tensor is missing or wrong, or the layer has what is not matched here.</exception>
    public MatchedAttention(Checkpoint source, DecoderSpec spec, int index, Precision precision)
    {
        (this.source, this.spec, this.precision, layer) = (source, spec, precision, new DecoderModules(spec).Layer(index));
        if (spec.Attention.Sinks || spec.Attention.InputBias || spec.Attention.OutputBias || spec.Window(index) != int.MaxValue)
        {
            throw new Formats.BadInputException(source.Folder, $"model.layers.{index}.self_attn",
                "expected attention without biases, sinks and windows, which is what is matched, found another kind: leave out --match");
        }
        (query, key, value, output) = (Read(layer.Query), Read(layer.Key), Read(layer.Value), Read(layer.Output));
    }

    /// <summary>Adds attention to the stream of one sample [tokens, model].</summary>
    public void AddTo(Span<float> stream)
    {
        var a = spec.Attention;
        var tokens = stream.Length / spec.Hidden;
        var h = Norm(stream, source.Vector(layer.AttentionNorm.Name, layer.AttentionNorm.Length));
        var q = Product(query, a.Heads * a.HeadDim, h);
        var k = Product(key, a.KeyValueHeads * a.HeadDim, h);
        var v = Product(value, a.KeyValueHeads * a.HeadDim, h);
        if (layer.QueryNorm is { } ofQueries) q = Norm(q, source.Vector(ofQueries.Name, ofQueries.Length));
        if (layer.KeyNorm is { } ofKeys) k = Norm(k, source.Vector(ofKeys.Name, ofKeys.Length));
        Rotate(q, a.Heads, tokens);
        Rotate(k, a.KeyValueHeads, tokens);
        var added = Product(output, spec.Hidden, Attend(q, k, v, tokens));
        for (var i = 0; i < added.Length; i++) stream[i] = precision.Round(stream[i] + added[i]);
    }

    /// <summary>round(gain · round(x / √(mean x² + ε))), a row or a head at a time as long as the gains.</summary>
    public float[] Norm(ReadOnlySpan<float> rows, float[] gains)
    {
        var normed = new float[rows.Length];
        for (var start = 0; start < rows.Length; start += gains.Length)
        {
            var row = rows.Slice(start, gains.Length);
            var squares = 0.0;
            foreach (var x in row) squares += (double)x * x;
            var factor = 1 / MathF.Sqrt((float)(squares / row.Length) + spec.NormEpsilon);
            for (var i = 0; i < row.Length; i++) normed[start + i] = precision.Round(gains[i] * precision.Round(row[i] * factor));
        }
        return normed;
    }

    private float[] Product(float[] weight, int rows, float[] x)
    {
        var y = new float[x.Length / (weight.Length / rows) * rows];
        MatchedProduct.Run(weight, rows, x, y);
        precision.Round(y);
        return y;
    }

    // Pairs (i, i + half) of the first values of each head.
    private void Rotate(float[] values, int heads, int tokens)
    {
        var (rope, size) = (spec.Attention.Rope, spec.Attention.HeadDim);
        var frequencies = RopeFrequencies.Of(rope);
        var half = frequencies.Length;
        for (var t = 0; t < tokens; t++)
        {
            for (var i = 0; i < half; i++)
            {
                var (sin, cos) = MathF.SinCos(t * (float)frequencies[i]);
                (sin, cos) = (precision.Round(sin), precision.Round(cos));
                for (var head = 0; head < heads; head++)
                {
                    var at = (((t * heads) + head) * size) + i;
                    var (a, b) = (values[at], values[at + half]);
                    values[at] = precision.Round(precision.Round(a * cos) + precision.Round(-b * sin));
                    values[at + half] = precision.Round(precision.Round(b * cos) + precision.Round(a * sin));
                }
            }
        }
    }

    private float[] Attend(float[] q, float[] k, float[] v, int tokens)
    {
        var a = spec.Attention;
        var (size, shared) = (a.HeadDim, a.Heads / a.KeyValueHeads);
        var into = new float[q.Length];
        Parallel.For(0, a.Heads, head =>
        {
            var scores = new float[tokens];
            var sums = new double[size];
            for (var t = 0; t < tokens; t++)
            {
                var from = q.AsSpan(((t * a.Heads) + head) * size, size);
                var largest = float.NegativeInfinity;
                for (var s = 0; s < tokens; s++)
                {
                    var to = k.AsSpan(((s * a.KeyValueHeads) + (head / shared)) * size, size);
                    scores[s] = precision.Round(precision.Round(System.Numerics.Tensors.TensorPrimitives.Dot(from, to)) * a.Scale);
                    largest = Math.Max(largest, scores[s]);
                }
                var total = 0.0;
                for (var s = 0; s < tokens; s++) total += scores[s] = MathF.Exp(scores[s] - largest);
                for (var s = 0; s < tokens; s++) scores[s] = precision.Round(scores[s] / (float)total);
                Array.Clear(sums);
                for (var s = 0; s < tokens; s++)
                {
                    var of = v.AsSpan(((s * a.KeyValueHeads) + (head / shared)) * size, size);
                    for (var i = 0; i < size; i++) sums[i] += scores[s] * (double)of[i];
                }
                for (var i = 0; i < size; i++) into[(((t * a.Heads) + head) * size) + i] = precision.Round(sums[i]);
            }
        });
        return into;
    }

    private float[] Read(ModuleShape shape)
    {
        var values = source.Module(shape.Name, shape.Rows, shape.Columns).Dequantize();
        precision.Round(values);
        return values;
    }
}
