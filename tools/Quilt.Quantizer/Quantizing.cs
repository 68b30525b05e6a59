using System.Reflection;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime;

namespace Quilt.Quantizer;

/// <summary>Quantizes a checkpoint without data: each weight is rounded on its own.</summary>
internal static class Quantizing
{
    /// <summary>Writes a smaller checkpoint, or goes on with it.</summary>
    /// <param name="source">What is quantized.</param>
    /// <param name="output">The result's folder, which must not exist or be empty.</param>
    /// <param name="recipe">What is done; it has no smoothing.</param>
    /// <param name="threads">Threads that quantize.</param>
    /// <param name="progress">Hears of bytes of the result.</param>
    /// <param name="cancel">Stops; what is there by then is gone on with the next time.</param>
    /// <returns>What a loader will not understand, in words.</returns>
    /// <exception cref="BadInputException">The recipe does not fit the source; the source is damaged; the result cannot be written there.</exception>
    public static IReadOnlyList<string> Run(Checkpoint source, string output, Recipe recipe, int threads, IProgress<LoadProgress>? progress = null,
        CancellationToken cancel = default)
    {
        if (recipe.Smoothing is not null) throw new ArgumentException("A recipe with smoothing needs data.", nameof(recipe));
        var plan = QuantizePlan.Create(source, recipe);
        var warnings = new List<string>();
        var config = ConfigFile.With(source.Config, QuantizationConfig.Of(plan, warnings));
        var layout = plan.Parts.Select(part => PartTensors.Layout(plan, part)).ToList();
        using var folder = OutputFolder.Open(output, layout, FingerprintOf(source, recipe), cancel: cancel);
        var (done, total) = (0L, layout.Sum(part => part.Bytes));
        foreach (var (part, tensors) in plan.Parts.Zip(layout))
        {
            if (!folder.HasPart(part.Name))
                folder.WritePart(part.Name, new PartTensors(plan, part, threads, cancel).Tensors(PartChanges.None), cancel);
            progress?.Report(new LoadProgress(done += tensors.Bytes, total, part.Name));
        }
        folder.Finish(source.Folder, config, recipe.Text, cancel);
        return warnings;
    }

    /// <summary>What any result depends on: the source, the recipe, and the version that computes.</summary>
    public static Fingerprint FingerprintOf(Checkpoint source, Recipe recipe) => new Fingerprint().Add(source).Add(recipe)
        .Add("quilt", typeof(Quantizing).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "");
}
