using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Quality;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Quality;

/// <summary>Two models side by side give what one would find who had both in memory.</summary>
[NonParallelizable]
public sealed class QualityComparisonTests
{
    private static readonly int[][] Samples = [Ids(70, 37), Ids(1, 5), Ids(23, 11)];

    [Test]
    public void Two_models_differ_by_what_their_logits_say([Values(1, 7, 64, 512)] int stepTokens)
    {
        using var official = new TinyFolder();
        using var other = new TinyFolder(seed: 2);
        var options = new EngineOptions { Threads = 2, MaxBatchedTokens = stepTokens };
        var result = QualityComparison.Run(other.Path, official.Path, QualityInput.FromTokens(Samples), options);

        var theirs = Traces(official.Path);
        var ours = Traces(other.Path);
        var divergences = new List<double>();
        var (same, officialTop, modelTop, officialLoss, modelLoss) = (0, 0.0, 0.0, 0.0, 0.0);
        for (var sample = 0; sample < Samples.Length; sample++)
        {
            for (var token = 0; token < Samples[sample].Length; token++)
            {
                var (p, q) = (Probabilities(theirs[sample], token), Probabilities(ours[sample], token));
                divergences.Add(p.Zip(q, (a, b) => a * Math.Log(a / b)).Sum());
                var top = Array.IndexOf(p, p.Max());
                if (top == Array.IndexOf(q, q.Max())) same++;
                officialTop += p[top];
                modelTop += q[top];
                if (token + 1 == Samples[sample].Length) continue;
                officialLoss -= Math.Log(p[Samples[sample][token + 1]]);
                modelLoss -= Math.Log(q[Samples[sample][token + 1]]);
            }
        }
        var tokens = divergences.Count;
        var scored = tokens - Samples.Length;
        Assert.That((result.Tokens, result.Samples), Is.EqualTo((tokens, Samples.Length)));
        Assert.That(result.Kl.Mean, Is.EqualTo(divergences.Average()).Within(1e-9));
        Assert.That(result.Kl.Max, Is.EqualTo(divergences.Max()).Within(1e-9));
        Assert.That(result.Kl.P99, Is.EqualTo(divergences.Order().ElementAt((int)Math.Ceiling(0.99 * tokens) - 1)).Within(1e-9));
        Assert.That(result.Top1Agreement, Is.EqualTo(same / (double)tokens));
        Assert.That(result.Top1Probability.Official, Is.EqualTo(officialTop / tokens).Within(1e-9));
        Assert.That(result.Top1Probability.Model, Is.EqualTo(modelTop / tokens).Within(1e-9));
        Assert.That(result.Perplexity!.Official, Is.EqualTo(Math.Exp(officialLoss / scored)).Within(1e-6));
        Assert.That(result.Perplexity!.Model, Is.EqualTo(Math.Exp(modelLoss / scored)).Within(1e-6));
        Assert.That(result.Kl.Mean, Is.GreaterThan(0.1), "the two are strangers");
    }

    [Test]
    public void Routers_are_compared_by_what_they_chose()
    {
        using var official = new TinyFolder();
        using var other = new TinyFolder(seed: 2);
        var result = QualityComparison.Run(other.Path, official.Path, QualityInput.FromTokens(Samples), new EngineOptions { Threads = 2 });

        var theirs = Traces(official.Path);
        var ours = Traces(other.Path);
        var tokens = Samples.Sum(ids => ids.Length);
        for (var layer = 0; layer < TinyMiniMax.Layers; layer++)
        {
            var (common, same) = (0, 0);
            for (var sample = 0; sample < Samples.Length; sample++)
            {
                foreach (var (a, b) in theirs[sample].RouterIds[layer].Chunk(2).Zip(ours[sample].RouterIds[layer].Chunk(2)))
                {
                    common += a.Intersect(b).Count();
                    if (a.SequenceEqual(b)) same++;
                }
            }
            var found = result.Layers[layer].Router!.WholeModel;
            Assert.That(found.Overlap, Is.EqualTo(common / (2.0 * tokens)).Within(1e-12), $"layer {layer}");
            Assert.That(found.SameSet, Is.EqualTo(same / (double)tokens).Within(1e-12), $"layer {layer}");
            var error = Enumerable.Range(0, Samples.Length).Sum(s => Square(ours[s].LayerHidden[layer], theirs[s].LayerHidden[layer]))
                / Enumerable.Range(0, Samples.Length).Sum(s => Square(new float[theirs[s].LayerHidden[layer].Length], theirs[s].LayerHidden[layer]));
            Assert.That(result.Layers[layer].StreamError, Is.EqualTo(Math.Sqrt(error)).Within(1e-9), $"layer {layer}");
        }
        Assert.That(result.Router!.WholeModel.Overlap, Is.EqualTo(result.Layers.Average(layer => layer.Router!.WholeModel.Overlap)).Within(1e-12));
        Assert.That(result.Layers[0].Router!.SameInput.Overlap, Is.LessThan(0.9), "on the same input strangers choose otherwise too");
    }

    [Test]
    public void A_model_is_its_own_equal()
    {
        using var folder = new TinyFolder();
        var result = QualityComparison.Run(folder.Path, folder.Path, QualityInput.FromTokens(Samples), new EngineOptions { Threads = 2 });
        Assert.That(result.Kl, Is.EqualTo(new Divergence(0, 0, 0, 0)));
        Assert.That(result.Top1Agreement, Is.EqualTo(1));
        Assert.That(result.Top1Probability.Model, Is.EqualTo(result.Top1Probability.Official));
        Assert.That(result.Perplexity!.Model, Is.EqualTo(result.Perplexity.Official));
        Assert.That(result.Router, Is.EqualTo(new RouterAgreement(new(1, 1), new(1, 1))));
        Assert.That(result.Layers.Select(layer => layer.StreamError), Is.All.Zero);
    }

    [Test]
    public void It_holds_no_more_for_more_layers()
    {
        using var few = new TinyFolder(layers: 4);
        using var many = new TinyFolder(layers: 12);
        Assert.That(MostHeld(many.Path), Is.EqualTo(MostHeld(few.Path)));
    }

    [Test]
    public void Models_of_other_sizes_are_refused_by_name()
    {
        using var official = new TinyFolder();
        using var deeper = new TinyFolder(layers: 3);
        Assert.That(() => QualityComparison.Run(deeper.Path, official.Path, QualityInput.FromTokens(Samples), new EngineOptions()),
            Throws.TypeOf<BadInputException>().With.Message.Contains("num_hidden_layers: expected 2, as the official model has, found 3"));
        using var worded = new TinyFolder(tokenizer: true);
        Assert.That(() => QualityComparison.Run(worded.Path, official.Path, QualityInput.FromTokens(Samples), new EngineOptions()),
            Throws.TypeOf<BadInputException>().With.Message.Contains("vocab_size: expected 300, as the official model has, found 2048"));
    }

    [Test]
    public void One_token_has_no_perplexity()
    {
        using var folder = new TinyFolder();
        var result = QualityComparison.Run(folder.Path, folder.Path, QualityInput.FromTokens([[3]]), new EngineOptions { Threads = 1 });
        Assert.That(result.Perplexity, Is.Null);
        Assert.That(result.Warnings, Has.Some.Contains("1 tokens are few"));
    }

    [Test]
    public void Cancelling_ends_it()
    {
        using var folder = new TinyFolder();
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.That(() => QualityComparison.Run(folder.Path, folder.Path, QualityInput.FromTokens(Samples), new EngineOptions { Threads = 1 },
            cancel: cancel.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Progress_is_that_of_both_models_together()
    {
        using var folder = new TinyFolder();
        var seen = new Seen();
        QualityComparison.Run(folder.Path, folder.Path, QualityInput.FromTokens(Samples), new EngineOptions { Threads = 1 }, seen);
        Assert.That(seen.All.Select(at => at.BytesDone), Is.Ordered);
        Assert.That(seen.All[^1].BytesDone, Is.EqualTo(seen.All[^1].BytesTotal));
    }

    private static int[] Ids(int count, int step) => [.. Enumerable.Range(0, count).Select(i => i * step % 300)];

    private static StepTrace[] Traces(string folder)
    {
        using var model = LoadedModel.Open(folder, new EngineOptions { Threads = 2 }, null, default);
        return Array.ConvertAll(Samples, ids => PromptRun.Trace(model, ids, layers: true));
    }

    private static double[] Probabilities(StepTrace trace, int token)
    {
        var logits = trace.Logits.AsSpan(token * trace.VocabularySize, trace.VocabularySize).ToArray();
        var exponentials = Array.ConvertAll(logits, logit => Math.Exp(logit - (double)logits.Max()));
        return Array.ConvertAll(exponentials, value => value / exponentials.Sum());
    }

    private static double Square(float[] a, float[] b) => a.Zip(b, (x, y) => ((double)x - y) * ((double)x - y)).Sum();

    private static long MostHeld(string folder)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = NativeBuffer.Held;
        NativeBuffer.Watch();
        QualityComparison.Run(folder, folder, QualityInput.FromTokens(Samples), new EngineOptions { Threads = 1 });
        Assert.That(NativeBuffer.Held, Is.EqualTo(before), "nothing stays");
        return NativeBuffer.MostHeld - before;
    }

    private sealed class Seen : IProgress<LoadProgress>
    {
        public List<LoadProgress> All { get; } = [];

        public void Report(LoadProgress value) => All.Add(value);
    }
}
