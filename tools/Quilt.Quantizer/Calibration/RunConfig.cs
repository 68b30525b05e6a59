using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Calibration;

/// <summary>One file that names a model, a recipe and a calibration set, as mratsim/quantizers has it.</summary>
/// <param name="Model">A name on Hugging Face, or a folder.</param>
/// <param name="Revision">Which version of it.</param>
/// <param name="Recipe">The recipe's file.</param>
/// <param name="CalibrationSet">The set's file; null: none is named.</param>
internal sealed record RunConfig(string Model, string Revision, string Recipe, string? CalibrationSet)
{
    private const string Ending = ".yaml";
    private const string Shelf = "configs/";

    /// <summary>Where the result goes if nobody says otherwise: <c>outputs/</c>, the model's own name, and the recipe's.</summary>
    public string DefaultOutput
    {
        get
        {
            var recipe = Path.GetFileNameWithoutExtension(Recipe);
            const string Prefix = "recipe_";
            if (recipe.StartsWith(Prefix, StringComparison.Ordinal)) recipe = recipe[Prefix.Length..];
            return $"outputs/{Model.TrimEnd('/').Split('/')[^1]}-{recipe}";
        }
    }

    /// <summary>Reads a file. Paths in it are relative to its folder, with or without <c>configs/</c> in front.</summary>
    /// <exception cref="BadInputException">It cannot be read, or lacks the model or the recipe.</exception>
    public static RunConfig Read(string path)
    {
        var root = YamlNode.Read(path);
        var (model, quantization) = (root.Need("model", "a model"), root.Need("quantization", "a recipe"));
        var set = (root.Find("calibration_set") ?? quantization.Find("calibration_set"))?.Text();
        return new RunConfig(
            model.Need("name", "the name of a model").Text(),
            model.Find("revision")?.Text() ?? "main",
            Beside(path, quantization.Need("recipe", "the path of a recipe").Text()),
            set is null ? null : Beside(path, set.EndsWith(Ending, StringComparison.Ordinal) ? set : set + Ending));
    }

    private static string Beside(string config, string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(config))!;
        return Path.GetFullPath(path.StartsWith(Shelf, StringComparison.Ordinal) ? path[Shelf.Length..] : path, folder);
    }
}
