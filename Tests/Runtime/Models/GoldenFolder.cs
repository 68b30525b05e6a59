using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Runtime.Models;

/// <summary>A folder with a checkpoint and what another implementation computes from it.</summary>
internal static class GoldenFolder
{
    /// <summary>
    /// Whether its architecture runs, by the model_type of its config; the null that stands for missing data counts as one that does.
    /// </summary>
    public static bool Runs(string? folder) =>
        folder is null || Architectures.Names.Contains(ModelConfig.Read(Path.Combine(folder, ModelConfig.FileName)).ModelType);
}
