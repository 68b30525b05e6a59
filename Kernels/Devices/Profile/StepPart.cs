namespace Quilt.Kernels.Devices;

/// <summary>What the time of a step goes to. Its names are written out by <c>bench --profile</c> and stay what they are.</summary>
internal enum StepPart
{
    /// <summary>Rows of the embedding looked up.</summary>
    Embed,

    /// <summary>RMS norms, those of queries and keys too.</summary>
    Norm,

    /// <summary>Query, key and value projections.</summary>
    Qkv,

    /// <summary>Rotation of queries and keys.</summary>
    Rope,

    /// <summary>Keys and values written to the cache.</summary>
    WriteKv,

    /// <summary>Attention over the cache.</summary>
    Attention,

    /// <summary>Attention's output projection.</summary>
    Output,

    /// <summary>The router's product.</summary>
    Router,

    /// <summary>Choosing experts, and sorting tokens by them.</summary>
    Route,

    /// <summary>Inputs of products made integers.</summary>
    QuantizeInput,

    /// <summary>Gate and up projections.</summary>
    GateUp,

    /// <summary>silu(gate) · up, or what the family has instead, where it is not made within the product.</summary>
    Activation,

    /// <summary>Down projections.</summary>
    Down,

    /// <summary>A token's experts added up.</summary>
    Combine,

    /// <summary>What a part of a layer gives added to the residual stream, and biases.</summary>
    Add,

    /// <summary>Rows picked that logits are asked for.</summary>
    Gather,

    /// <summary>The product with the vocabulary.</summary>
    Head,

    /// <summary>Choosing tokens from logits.</summary>
    Choose,

    /// <summary>What belongs to none of these: plans, scratch memory, the calls themselves.</summary>
    Other,
}
