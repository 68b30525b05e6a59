using System.Diagnostics;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Quality;

/// <summary>
/// Measures a model against the official one: both go through the same text layer by layer, side by side, so that neither needs to fit in memory.
/// What is held is a layer of one of them, then the heads of both, and of each token two rows of the residual stream.
/// </summary>
internal static class QualityComparison
{
    // Logits of one model that are held at once: 2^25 values are 128 MiB.
    private const int MostLogits = 1 << 25;

    /// <summary>Runs the comparison.</summary>
    /// <param name="model">Folder of the model.</param>
    /// <param name="official">Folder of the official model, or of any other it is to be measured by.</param>
    /// <param name="input">The text.</param>
    /// <param name="options">Device, threads and precision, the same for both.</param>
    /// <param name="progress">Is told of bytes read, of both together; null: nobody.</param>
    /// <param name="cancel">Stops it between parts.</param>
    /// <exception cref="BadInputException">A checkpoint or the text is not what it should be; the two differ in size; a logit is no
    /// number.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static QualityResult Run(string model, string official, QualityInput input, EngineOptions options,
        IProgress<LoadProgress>? progress = null, CancellationToken cancel = default)
    {
        var start = Stopwatch.GetTimestamp();
        options.Validate();
        using var ours = Checkpoint.Open(model);
        using var theirs = Checkpoint.Open(official);
        var (spec, officialSpec) = (Architectures.Describe(ours.Config), Architectures.Describe(theirs.Config));
        ComparedSizes.Check((ours.Config, spec), (theirs.Config, officialSpec));
        var samples = input.Samples(theirs, Math.Min(spec.Attention.MaxPositions, officialSpec.Attention.MaxPositions));

        using var device = options.OpenDevice();
        DecoderLimits.CheckOn(device, spec);
        var sum = progress is null ? null : new SummedProgress(progress, Bytes(ours) + Bytes(theirs));
        // What the official model is run in is no part of the question.
        var exact = options with { Activations = Activations.Float, Head = HeadPrecision.AsStored };
        using var theirModel = new ComparedModel(theirs, officialSpec, samples, device, exact, sum?.Part(0), cancel);
        using var ourModel = new ComparedModel(ours, spec, samples, device, options, sum?.Part(1), cancel);
        var layers = new List<LayerQuality>();
        for (var layer = 0; layer < spec.Layers; layer++) layers.Add(Layer(layer, spec.FeedForward(layer).Experts, ourModel, theirModel));
        var logits = CompareLogits(ourModel, theirModel, samples, spec.VocabularySize, options.Threads, cancel);

        var routers = layers.Select(layer => layer.Router).OfType<RouterAgreement>().ToArray();
        return new QualityResult
        {
            Model = ours.Folder,
            Official = theirs.Folder,
            Samples = samples.Count,
            Tokens = samples.Sum(ids => ids.Length),
            Kl = logits.Kl,
            Top1Agreement = logits.Top1Agreement,
            Top1Probability = logits.Top1Probability,
            Perplexity = logits.Perplexity,
            Router = routers.Length == 0 ? null : RouterAgreement.Mean(routers),
            Layers = layers,
            Warnings = [.. input.Warnings(ours, theirs, samples), .. ours.Warnings, .. theirs.Warnings],
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
    }

    // The model's layer sees the official stream before the official layer changes it.
    private static LayerQuality Layer(int layer, MoeSpec? experts, ComparedModel ours, ComparedModel theirs)
    {
        var routers = experts is null ? null : new RouterComparison(ours.Streams.Tokens, experts);
        using (var weights = ours.Load(layer))
        {
            if (routers is not null) theirs.Streams.Route(weights, routers.SameInput);
            ours.Streams.Forward(weights, layer, routers?.WholeModel);
        }
        using (var weights = theirs.Load(layer)) theirs.Streams.Forward(weights, layer, routers?.Official);
        return new(layer, Error(ours.Streams.Rows, theirs.Streams.Rows), routers?.Agreement);
    }

    private static LogitComparison CompareLogits(ComparedModel ours, ComparedModel theirs, IReadOnlyList<int[]> samples, int vocabulary, int threads,
        CancellationToken cancel)
    {
        var comparison = new LogitComparison(samples, threads);
        foreach (var (first, count) in ours.Streams.Chunks(Math.Max(1, MostLogits / vocabulary)))
        {
            cancel.ThrowIfCancellationRequested();
            comparison.Add(first, (theirs.Folder, theirs.Logits(first, count)), (ours.Folder, ours.Logits(first, count)));
        }
        return comparison;
    }

    // ‖ours − theirs‖ / ‖theirs‖
    private static double Error(Matrix ours, Matrix theirs)
    {
        var (difference, size) = (0.0, 0.0);
        for (var row = 0; row < ours.Rows; row++)
        {
            var our = ours.Row(row);
            var their = theirs.Row(row);
            for (var i = 0; i < our.Length; i++)
            {
                var off = (double)our[i] - their[i];
                difference += off * off;
                size += (double)their[i] * their[i];
            }
        }
        return size == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / size);
    }

    private static long Bytes(Checkpoint checkpoint) => checkpoint.Tensors.Sum(tensor => tensor.Length);
}
