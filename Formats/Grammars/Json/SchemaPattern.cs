using Quilt.Formats.Grammars.Notations;

namespace Quilt.Formats.Grammars.Json;

/// <summary>A schema's patterns: looked for anywhere in a text, with ECMAScript's ASCII classes.</summary>
internal static class SchemaPattern
{
    /// <summary>Texts in which the pattern is found.</summary>
    public static GrammarNode Read(string pattern, string pointer) =>
        RegexReader.Read(pattern, search: true, ascii: true, source: $"{JsonSchemaReader.Origin}: {pointer}");
}
