using Quilt.Quantizer.Recipes;

namespace Quilt.Tests.Quantizer.Recipes;

/// <summary>Every recipe as the tool saved it is read.</summary>
[Category("Conformance")]
public sealed class RecipeGoldenTests
{
    public static IEnumerable<string?> Files()
    {
        var root = Path.Combine(Shared.Root, "golden", "awq");
        string?[] files = Directory.Exists(root) ? Directory.GetFiles(root, "recipe.yaml", SearchOption.AllDirectories) : [];
        Array.Sort(files, StringComparer.Ordinal);
        return files.Length > 0 ? files : [null];
    }

    [TestCaseSource(nameof(Files))]
    public void Is_read(string? file)
    {
        var recipe = RecipeReader.Read(Shared.Require(file));
        Assert.That(recipe.Groups, Is.Not.Empty);
        Assert.That(recipe.Smoothing is not null, Is.EqualTo(File.ReadAllText(file!).Contains("AWQModifier")));
        Assert.That(recipe.Text, Is.EqualTo(File.ReadAllText(file!)));
    }
}
