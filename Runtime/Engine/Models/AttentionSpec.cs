using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Models;

/// <summary>Softmax attention with grouped queries and rotary positions.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; query head j reads head j / (Heads / KeyValueHeads).</param>
/// <param name="HeadDim">Values in a head; Heads · HeadDim need not be the hidden width.</param>
/// <param name="Rope">Leading values of a head that are rotated, in halves (NeoX), and their frequencies.</param>
/// <param name="MaxPositions">Longest sequence the model was made for.</param>
internal sealed record AttentionSpec(int Heads, int KeyValueHeads, int HeadDim, RopeConfig Rope, int MaxPositions)
{
    /// <summary>Attention by the keys that every architecture reads.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="rope">What the family means where its files say nothing.</param>
    /// <param name="headDim">Values in a head; null: as head_dim says, which must be there.</param>
    /// <param name="keyValueHeads">Key and value heads; null: as num_key_value_heads says, which must be there.</param>
    /// <exception cref="Formats.BadInputException">A value is missing or out of range.</exception>
    public static AttentionSpec From(ModelConfig config, RopeDefaults rope, int? headDim = null, int? keyValueHeads = null)
    {
        var size = headDim ?? config.HeadDim;
        return new(config.Heads, keyValueHeads ?? config.KeyValueHeads, size, config.Rope(size, rope), config.MaxPositions);
    }

    /// <summary>What is normalized between projection and rotation.</summary>
    public QkNorm QkNorm { get; init; }

    /// <summary>Whether the projections to queries, keys and values add a bias.</summary>
    public bool InputBias { get; init; }

    /// <summary>Whether the projection back to the residual stream adds a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Whether each head has a score more in its softmax, learned, that has no value: the head may look at nothing.</summary>
    public bool Sinks { get; init; }

    /// <summary>What a query-key product is multiplied with before the softmax.</summary>
    public float Scale { get; } = (float)(1 / Math.Sqrt(HeadDim));
}

/// <summary>Over what queries and keys are normalized.</summary>
internal enum QkNorm
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>One RMS over all heads of a token, one gain per value.</summary>
    AcrossHeads,

    /// <summary>One RMS a head, the same gains for every head.</summary>
    PerHead,
}
