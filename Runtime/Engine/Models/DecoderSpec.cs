namespace Quilt.Runtime.Models;

/// <summary>The facts in which one decoder-only architecture differs from another. An architecture is a file that returns one of these; the forward pass reads nothing else.</summary>
internal sealed record DecoderSpec
{
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

    /// <summary>The same in every layer.</summary>
    public required MoeSpec FeedForward { get; init; }
}

/// <summary>Softmax attention with grouped queries and rotary positions.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; query head j reads head j / (Heads / KeyValueHeads).</param>
/// <param name="HeadDim">Values in a head; Heads · HeadDim need not be the hidden width.</param>
/// <param name="RotaryDim">Leading values of a head that are rotated, in halves (NeoX).</param>
/// <param name="RopeTheta">Base of the rotation's frequencies.</param>
/// <param name="MaxPositions">Longest sequence the model was made for.</param>
internal sealed record AttentionSpec(int Heads, int KeyValueHeads, int HeadDim, int RotaryDim, double RopeTheta, int MaxPositions)
{
    /// <summary>What is normalized between projection and rotation.</summary>
    public required QkNorm QkNorm { get; init; }

    /// <summary>What a query-key product is multiplied with before the softmax.</summary>
    public float Scale { get; } = (float)(1 / Math.Sqrt(HeadDim));
}

/// <summary>Over what queries and keys are normalized.</summary>
internal enum QkNorm
{
    /// <summary>One RMS over all heads of a token, one gain per value.</summary>
    AcrossHeads,
}

/// <summary>Routed experts, each down(silu(gate(x)) ⊙ up(x)).</summary>
/// <param name="Experts">Experts in a layer.</param>
/// <param name="PerToken">Experts a token goes to.</param>
/// <param name="Hidden">Width inside an expert.</param>
internal sealed record MoeSpec(int Experts, int PerToken, int Hidden)
{
    /// <summary>How experts are chosen and weighted.</summary>
    public required Router Router { get; init; }
}

/// <summary>How a token's experts are chosen and weighted.</summary>
internal enum Router
{
    /// <summary>Top-k of sigmoid(logit) + correction bias; gates are the sigmoids alone, divided by their sum.</summary>
    SigmoidWithCorrection,
}
