using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer;

/// <summary>How far a quantization has come.</summary>
/// <param name="Done">Parts that are written.</param>
/// <param name="Parts">All parts.</param>
/// <param name="What">The part that was just written.</param>
internal readonly record struct QuantizeProgress(int Done, int Parts, string What);

/// <summary>Quantizes a checkpoint without data: each weight is rounded on its own.</summary>
internal static class Quantizing
{
    /// <summary>Writes <paramref name="output"/>, or goes on with it.</summary>
    /// <exception cref="BadInputException">The recipe does not fit the source; the source is damaged; the result cannot be written there.</exception>
    public static void Run(Checkpoint source, string output, Recipe recipe, int threads, IProgress<QuantizeProgress>? progress = null,
        CancellationToken cancel = default) => throw new NotImplementedException();
}
