using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Repair;

namespace Quilt.Quantizer.Verifying.Forward;

/// <summary>One layer of a model beside the same layer of the official one.</summary>
/// <param name="Output">Cosine of both layers' outputs, the residual stream, for a random input.</param>
/// <param name="Update">The same of what they add to it, which shows more.</param>
/// <param name="SameInput">Routers on the official model's input of the layer; null for a layer without one.</param>
/// <param name="WholeModel">Routers where each model runs on its own; null for a layer without one.</param>
internal sealed record LayerComparison(double Output, double Update, Agreement? SameInput, Agreement? WholeModel);

/// <summary>A model beside the official one.</summary>
/// <param name="Layers">By layer.</param>
/// <param name="OfficialLogits">By prompt the official logits after every token, [tokens, vocabulary].</param>
/// <param name="Logits">By prompt its own.</param>
/// <param name="VocabularySize">Logits after a token.</param>
internal sealed record ModelComparison(
    IReadOnlyList<LayerComparison> Layers, IReadOnlyList<float[]> OfficialLogits, IReadOnlyList<float[]> Logits, int VocabularySize)
{
    private const int RandomTokens = 16;

    /// <summary>
    /// Runs models beside the official one, layer by layer: each layer of each is read once, and one is in memory at a time. Each model's layer
    /// sees a random input, the official model's input, and its own.
    /// </summary>
    /// <exception cref="BadInputException">A model does not run, or is not of the official one's sizes.</exception>
    public static IReadOnlyList<ModelComparison> Run(Checkpoint official, IReadOnlyList<Checkpoint> models, IReadOnlyList<int[]> prompts,
        Device device, CancellationToken cancel)
    {
        using var reference = new LayerRunner(official, device, cancel);
        var runners = new List<LayerRunner>();
        try
        {
            foreach (var model in models)
            {
                SameSizes.Of(official, model);
                runners.Add(new LayerRunner(model, device, cancel));
            }
            return Run(reference, runners, prompts);
        }
        finally
        {
            foreach (var runner in runners) runner.Dispose();
        }
    }

    private static ModelComparison[] Run(LayerRunner official, List<LayerRunner> models, IReadOnlyList<int[]> prompts)
    {
        var random = RandomInput(official.Spec.Hidden);
        var stream = official.Embed(prompts);
        var streams = models.ConvertAll(model => model.Embed(prompts));
        var layers = models.ConvertAll(_ => new List<LayerComparison>());
        for (var index = 0; index < official.Spec.Layers; index++)
        {
            var wanted = official.Layer(index, [random, .. stream]);
            for (var m = 0; m < models.Count; m++)
            {
                var found = models[m].Layer(index, [random, .. stream, .. streams[m]]);
                var perToken = official.Spec.FeedForward(index).Experts?.PerToken;
                Agreement? Alike(int first) => perToken is not { } k ? null
                    : Agreement.Of(Choices(wanted, 1), Choices(found, first), k);
                int[] Choices(IEnumerable<LayerOutput> of, int first) => [.. of.Skip(first).Take(prompts.Count).SelectMany(one => one.RouterIds)];
                layers[m].Add(new LayerComparison(Cosine(wanted[0].Hidden, found[0].Hidden), Cosine(Less(wanted[0].Hidden, random),
                    Less(found[0].Hidden, random)), Alike(1), Alike(1 + prompts.Count)));
                streams[m] = [.. found.Skip(1 + prompts.Count).Select(output => output.Hidden)];
            }
            stream = [.. wanted.Skip(1).Select(output => output.Hidden)];
        }
        var logits = official.Logits(stream);
        return [.. models.Select((model, m) => new ModelComparison(layers[m], logits, model.Logits(streams[m]), official.Spec.VocabularySize))];
    }

    /// <summary>Share of tokens after which both models find the same next one likeliest.</summary>
    public double SameChoice => Rows().Average(row => row.Wanted.IndexOfMax() == row.Found.IndexOfMax() ? 1.0 : 0);

    /// <summary>The mean over tokens of the Kullback-Leibler divergence of its next token from the official one, in nats.</summary>
    public double MeanDivergence => Rows().Average(row => Divergence(row.Wanted, row.Found));

    private IEnumerable<(LogitRow Wanted, LogitRow Found)> Rows()
    {
        for (var p = 0; p < Logits.Count; p++)
        {
            for (var at = 0; at < Logits[p].Length; at += VocabularySize)
                yield return (new LogitRow(OfficialLogits[p].AsMemory(at, VocabularySize)), new LogitRow(Logits[p].AsMemory(at, VocabularySize)));
        }
    }

    private static double Divergence(LogitRow wanted, LogitRow found)
    {
        var (p, q) = (wanted.LogProbabilities(), found.LogProbabilities());
        var sum = 0.0;
        for (var i = 0; i < p.Length; i++) sum += Math.Exp(p[i]) * (p[i] - q[i]);
        return sum;
    }

    private static double Cosine(float[] wanted, float[] found)
    {
        double product = 0, left = 0, right = 0;
        for (var i = 0; i < wanted.Length; i++)
        {
            product += (double)wanted[i] * found[i];
            left += (double)wanted[i] * wanted[i];
            right += (double)found[i] * found[i];
        }
        return left == 0 && right == 0 ? 1 : product / Math.Sqrt(left * right) is var cosine && double.IsNaN(cosine) ? 0 : cosine;
    }

    private static float[] Less(float[] from, float[] what) => [.. from.Zip(what, (a, b) => a - b)];

    // Normal numbers of deviation 1; the same in every run.
    private static float[] RandomInput(int width)
    {
        var random = new Random(1);
        var values = new float[RandomTokens * width];
        foreach (ref var value in values.AsSpan())
            value = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
