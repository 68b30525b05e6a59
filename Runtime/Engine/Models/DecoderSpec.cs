using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Models;

/// <summary>
/// The facts in which one decoder-only architecture differs from another. An architecture is a file that returns one of these; the forward pass reads
/// nothing else.
/// </summary>
internal sealed record DecoderSpec
{
    /// <summary>What every architecture reads under the same keys; what is its own it gives, or adds.</summary>
    /// <exception cref="Formats.BadInputException">A value is out of range, or the activation is not SiLU.</exception>
    public static DecoderSpec From(ModelConfig config, AttentionSpec attention, Func<int, FeedForwardSpec> feedForward)
    {
        config.Only("hidden_act", "silu");
        return new()
        {
            Layers = config.Layers,
            Hidden = config.Hidden,
            VocabularySize = config.VocabularySize,
            NormEpsilon = config.NormEpsilon,
            Attention = attention,
            FeedForward = feedForward,
        };
    }

    /// <summary>Decoder layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int Hidden { get; init; }

    /// <summary>Rows of the embedding and of the head.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Added to the mean square in every RMS norm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>The same in every layer.</summary>
    public required AttentionSpec Attention { get; init; }

    /// <summary>Of a layer: how many positions a token sees, its own included.</summary>
    public Func<int, int> Window { get; init; } = _ => int.MaxValue;

    /// <summary>Of a layer: what stands between attention and the next layer.</summary>
    public required Func<int, FeedForwardSpec> FeedForward { get; init; }

    /// <summary>The routed experts of the layers that have any, which are the same; null where none has.</summary>
    public MoeSpec? Experts => Enumerable.Range(0, Layers).Select(layer => FeedForward(layer).Experts).FirstOrDefault(experts => experts is not null);
}
