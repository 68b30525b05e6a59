using System.Text.Json.Nodes;

namespace Quilt.Quantizer.Recipes;

/// <summary>What is done to a checkpoint: which modules become what, and which norms and rows take up part of their inputs' sizes before.</summary>
/// <param name="Groups">Groups of modules in the order of the recipe.</param>
/// <param name="Ignore">Modules that are left alone: names, classes or <c>re:</c> expressions; they win over every target.</param>
/// <param name="Smoothing">AWQ's scaling before quantization; null: none.</param>
internal sealed record Recipe(IReadOnlyList<SchemeGroup> Groups, IReadOnlyList<string> Ignore, Smoothing? Smoothing)
{
    /// <summary>The file or preset it comes from, for messages.</summary>
    public string Origin { get; init; } = "recipe";

    /// <summary>Its text, which is laid beside the result as <c>recipe.yaml</c>; null: there is none.</summary>
    public string? Text { get; init; }

    /// <summary>
    /// FP8 blocks are stored as their publishers do, with float32 scales called weight_scale_inv and a config of the method fp8, not as
    /// compressed-tensors does.
    /// </summary>
    public bool OfficialFp8 { get; init; }

    /// <summary>Whether more is done than the tool whose recipe it is does: the same files, with less error.</summary>
    public bool Refined { get; init; }
}

/// <summary>Modules that are stored alike.</summary>
/// <param name="Name">What the recipe calls it, for messages and for config.json.</param>
/// <param name="Targets">Names, classes or <c>re:</c> expressions (matched from the start of a module's path).</param>
/// <param name="Weights">How.</param>
/// <param name="InputActivations">What the group says of activations, passed on to config.json; null: they stay as they are.</param>
internal sealed record SchemeGroup(string Name, IReadOnlyList<string> Targets, WeightScheme Weights, JsonObject? InputActivations = null);

/// <summary>How a weight is stored.</summary>
/// <param name="Strategy">What shares a scale.</param>
/// <param name="IsFloat">FP8 E4M3 codes; else integers.</param>
/// <param name="Bits">Bits of a code: 4 or 8.</param>
/// <param name="Symmetric">No zero points.</param>
/// <param name="GroupSize">Columns that share a scale, for <see cref="ScaleStrategy.Group"/>.</param>
/// <param name="BlockRows">Rows that share a scale, for <see cref="ScaleStrategy.Block"/>.</param>
/// <param name="BlockColumns">Columns that share a scale, for <see cref="ScaleStrategy.Block"/>.</param>
internal sealed record WeightScheme(
    ScaleStrategy Strategy, bool IsFloat, int Bits, bool Symmetric = true, int GroupSize = 0, int BlockRows = 0, int BlockColumns = 0);

/// <summary>What shares a scale.</summary>
internal enum ScaleStrategy
{
    /// <summary>All of a matrix.</summary>
    Tensor,

    /// <summary>A row.</summary>
    Channel,

    /// <summary>Neighbouring columns of a row.</summary>
    Group,

    /// <summary>A rectangle.</summary>
    Block,
}

/// <summary>AWQ's settings (arXiv 2306.00978).</summary>
/// <param name="Mappings">What is divided and what is multiplied, in the recipe's order.</param>
/// <param name="Duo">Whether the weights' own sizes count beside the inputs'.</param>
/// <param name="GridPoints">Ratios tried.</param>
internal sealed record Smoothing(IReadOnlyList<SmoothMapping> Mappings, DuoScaling Duo = DuoScaling.Yes, int GridPoints = 20);

/// <summary>One layer whose outputs are divided, and those whose columns are multiplied to make up for it.</summary>
/// <param name="SmoothLayer">A norm or a linear module.</param>
/// <param name="BalanceLayers">Linear modules that read its output, in the recipe's order.</param>
internal sealed record SmoothMapping(string SmoothLayer, IReadOnlyList<string> BalanceLayers);

/// <summary>Whether the weights' sizes count in AWQ's scales.</summary>
internal enum DuoScaling
{
    /// <summary>Inputs alone.</summary>
    No,

    /// <summary>Both.</summary>
    Yes,

    /// <summary>Half of the grid each.</summary>
    Both,
}
