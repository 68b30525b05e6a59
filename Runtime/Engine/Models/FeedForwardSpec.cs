using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// What a layer has between attention and the next layer: a dense part that every token goes through, routed experts, or both, whose results are then
/// added. Each of them is down(activation(gate(x), up(x))).
/// </summary>
internal sealed record FeedForwardSpec
{
    /// <summary>Width inside the dense part, which is the whole of a dense layer and the shared experts of a routed one; 0: there is none.</summary>
    public int Dense { get; init; }

    /// <summary>The routed experts; null: there are none.</summary>
    public MoeSpec? Experts { get; init; }
}

/// <summary>Routed experts.</summary>
/// <param name="Experts">Experts in a layer.</param>
/// <param name="Hidden">Width inside an expert.</param>
/// <param name="Routing">How experts are chosen and weighted.</param>
internal sealed record MoeSpec(int Experts, int Hidden, Routing Routing)
{
    /// <summary>Experts a token goes to.</summary>
    public int PerToken => Routing.PerToken;

    /// <summary>What their tensors are called.</summary>
    public ExpertNames Names { get; init; } = ExpertNames.Default;

    /// <summary>Whether the choice, but not the weights, counts a bias on the scores.</summary>
    public bool CorrectionBias { get; init; }

    /// <summary>Whether the router adds a bias to its logits.</summary>
    public bool RouterBias { get; init; }

    /// <summary>Whether gate, up and down of each expert add a bias.</summary>
    public bool ExpertBias { get; init; }

    /// <summary>Null: the activation is silu(gate) · up. Else the clamped SwiGLU of gpt-oss, at this limit.</summary>
    public float? SwigluLimit { get; init; }
}

/// <summary>What the parts of routed experts are called, below the path of their layer.</summary>
/// <param name="Router">The router's module.</param>
/// <param name="Correction">The tensor that corrects the choice.</param>
/// <param name="Experts">Above the experts, which are numbered.</param>
/// <param name="Gate">What goes through the activation.</param>
/// <param name="Up">What it is multiplied with.</param>
/// <param name="Down">Back to the residual stream.</param>
internal sealed record ExpertNames(string Router, string Correction, string Experts, string Gate, string Up, string Down)
{
    /// <summary>What most families call them.</summary>
    public static ExpertNames Default { get; } =
        new("mlp.gate", "mlp.gate.e_score_correction_bias", "mlp.experts", "gate_proj", "up_proj", "down_proj");

    /// <summary>What Mixtral and its descendants call them.</summary>
    public static ExpertNames Mixtral { get; } =
        new("block_sparse_moe.gate", "block_sparse_moe.e_score_correction_bias", "block_sparse_moe.experts", "w1", "w3", "w2");
}
