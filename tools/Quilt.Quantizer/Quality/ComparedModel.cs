using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Quality;

/// <summary>One of two models, of which no more is in memory at a time than a layer, the embedding or the head.</summary>
internal sealed class ComparedModel : IDisposable
{
    private readonly DecoderSpec spec;
    private readonly DecoderModules modules;
    private readonly IDecoderParts parts;
    private readonly WeightBuilder ends;
    private (NativeBuffer Norm, Weight Head)? end;

    /// <summary>A model before its first layer: the samples' tokens are embedded.</summary>
    /// <exception cref="BadInputException">The embedding is missing or wrong.</exception>
    public ComparedModel(Checkpoint checkpoint, DecoderSpec spec, IReadOnlyList<int[]> samples, Device device, EngineOptions options,
        IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        (this.spec, Folder) = (spec, checkpoint.Folder);
        modules = new DecoderModules(spec);
        parts = EightBitHead.Wrap(new CheckpointParts(checkpoint, device, progress, cancel), spec, device, options);
        ends = new WeightBuilder(parts);
        Streams = new PromptStreams(spec, device, options, samples);
        try
        {
            using var embedding = parts.Weight([modules.Embedding]);
            Streams.Embed(embedding);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>The residual streams of all samples.</summary>
    public PromptStreams Streams { get; }

    /// <summary>Reads a layer; the caller frees it.</summary>
    /// <exception cref="BadInputException">A tensor is missing or wrong.</exception>
    public DecoderLayer Load(int layer) => DecoderWeights.LoadLayer(spec, parts, layer);

    /// <summary>Logits [count, vocabulary] after the tokens from <paramref name="first"/> on, valid until the next call.</summary>
    /// <exception cref="BadInputException">The last norm or the head is missing or wrong.</exception>
    public Matrix Logits(int first, int count)
    {
        if (end is null)
        {
            end = (ends.Vector(modules.FinalNorm), ends.Weight(parts.HeadIsEmbedding(modules.Head) ? modules.Embedding : modules.Head));
            parts.Finish();
        }
        return Streams.Logits(first, count, end.Value.Norm, end.Value.Head);
    }

    public void Dispose()
    {
        ends.Dispose();
        Streams.Dispose();
    }
}
