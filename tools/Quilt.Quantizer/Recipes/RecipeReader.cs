using Quilt.Formats;

namespace Quilt.Quantizer.Recipes;

/// <summary>Recipes in llm-compressor's YAML.</summary>
internal static class RecipeReader
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">It is no recipe, or asks for what is not done here; the message names the key and its line.</exception>
    public static Recipe Read(string path) => throw new NotImplementedException();

    /// <summary>Reads a text; <paramref name="origin"/> is for messages.</summary>
    /// <exception cref="BadInputException">It is no recipe, or asks for what is not done here; the message names the key and its line.</exception>
    public static Recipe Parse(string yaml, string origin) => throw new NotImplementedException();
}
