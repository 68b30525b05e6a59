namespace Quilt.Kernels.Ops;

/// <summary>How a token's experts are chosen and weighted.</summary>
/// <param name="Score">What becomes of a router's logits.</param>
/// <param name="PerToken">Experts a token goes to.</param>
internal sealed record Routing(RouterScore Score, int PerToken)
{
    /// <summary>Whether the scores of the chosen experts are divided by their sum.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>What every gate is multiplied with.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>
    /// Groups of neighbouring experts. Only the experts of some groups can be chosen: those whose two best experts are best together.
    /// </summary>
    public int Groups { get; init; } = 1;

    /// <summary>Groups that a token's experts may come from.</summary>
    public int GroupsPerToken { get; init; } = 1;
}

/// <summary>What becomes of a router's logits.</summary>
internal enum RouterScore
{
    /// <summary>1 / (1 + e^−z), each expert on its own.</summary>
    Sigmoid,

    /// <summary>e^z / Σ e^z over all experts of a token.</summary>
    Softmax,
}
