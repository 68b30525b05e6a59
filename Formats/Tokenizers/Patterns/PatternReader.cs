using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>Reads "pattern": a text to look for ("String") or a regular expression ("Regex").</summary>
internal static class PatternReader
{
    /// <summary>The expression, or null where <paramref name="literal"/>, which is not empty then, is to be looked for.</summary>
    public static Pattern? Read(JsonElement component, string source, string part, out byte[] literal)
    {
        literal = [];
        var pattern = component.Need("pattern", JsonValueKind.Object, source, part);
        if (pattern.Find("String") is null) return Compile(pattern.Text("Regex", source, part), source, part);
        literal = Encoding.UTF8.GetBytes(pattern.Text("String", source, part));
        return literal.Length == 0 ? new Pattern("") : null;
    }

    private static Pattern Compile(string text, string source, string part)
    {
        try
        {
            return new Pattern(text);
        }
        catch (FormatException problem)
        {
            throw new BadInputException(source, part, $"the pattern {text} cannot be used: {problem.Message}", problem);
        }
    }
}
