using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Verifying.Forward;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Repair;

/// <summary>What a repair has changed, by running the models: each of them layer by layer, with one layer in memory at a time.</summary>
internal static class RepairComparison
{
    /// <summary>Refuses a prompt that the model cannot be run on, before anything is written.</summary>
    /// <exception cref="BadInputException">It is empty, too long, or not of the vocabulary.</exception>
    public static void Check(string published, int[] tokens)
    {
        using var checkpoint = Checkpoint.OpenHeaders(published);
        LayerRunner.Check(Architectures.Describe(checkpoint.Config), tokens);
    }

    /// <summary>The published model and the repaired one, each beside the official one, on a prompt.</summary>
    /// <exception cref="BadInputException">A model does not run, or the prompt is not of its vocabulary.</exception>
    public static (ModelComparison Before, ModelComparison After) Run(string official, string published, string repaired, int[] tokens,
        CancellationToken cancel)
    {
        using var reference = Checkpoint.OpenHeaders(official);
        using var before = Checkpoint.OpenHeaders(published);
        using var after = Checkpoint.OpenHeaders(repaired);
        using var device = new EngineOptions().OpenDevice();
        var found = ModelComparison.Run(reference, [before, after], [tokens], device, cancel);
        return (found[0], found[1]);
    }
}
