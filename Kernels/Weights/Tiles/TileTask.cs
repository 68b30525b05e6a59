using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Up to three products of one input, done as one job: the weights have the same columns in the same places. Gated, the first output becomes
/// silu(first) ⊙ second and the second is written nowhere.
/// </summary>
/// <param name="Plan">Which rows go to which expert; null: a plain matrix.</param>
/// <param name="Rows">With a plan, what the input's rows are.</param>
/// <param name="First">The first product.</param>
/// <param name="Second">The second; without rows where there is none.</param>
/// <param name="Third">The third.</param>
/// <param name="IsGated">Whether the first two are joined.</param>
internal readonly record struct TileTask(
    ExpertPlan? Plan, ExpertRows Rows, TileOutput First, TileOutput Second = default, TileOutput Third = default, bool IsGated = false);

/// <summary>A weight and where its products go.</summary>
/// <param name="View">The weight's memory.</param>
/// <param name="Y">[tokens, rows], or [pairs, rows].</param>
internal readonly record struct TileOutput(TileView View, Matrix Y);
