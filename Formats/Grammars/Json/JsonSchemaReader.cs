namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// A JSON schema (Draft 2020-12, and what older drafts and OpenAPI write otherwise) as a grammar of the texts of values that meet it. No text of
/// another value is ever taken; what could not be held to is refused.
/// </summary>
internal static class JsonSchemaReader
{
    /// <summary>What messages call a schema.</summary>
    public const string Origin = "json schema";

    /// <summary>Characters of a schema, at most.</summary>
    public const int MaxLength = 4 << 20;

    /// <summary>Reads a schema.</summary>
    /// <exception cref="BadInputException">It is no schema, or it demands what cannot be held to; the part is a JSON pointer.</exception>
    public static GrammarRules Read(string json, JsonGrammarOptions options)
    {
        if (json.Length > MaxLength) throw new BadInputException(Origin, null, $"expected at most {MaxLength} characters, found {json.Length}");
        var document = new SchemaDocument(json);
        var grammar = new SchemaGrammar(document, options, new JsonTokens(options));
        var root = grammar.Of(Goal.Of(document.Root));
        grammar.Finish();
        return new(root, grammar.Rules);
    }

    /// <summary>Any JSON object.</summary>
    public static GrammarRules AnyObject(JsonGrammarOptions options) => new(JsonTokens.AnyObject, new JsonTokens(options).Rules);
}
