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
