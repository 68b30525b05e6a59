using Quilt.Formats.Grammars.Json;

namespace Quilt.Formats.Grammars;

/// <summary>Grammars of JSON.</summary>
public sealed partial class Grammar
{
    /// <summary>Any JSON object (OpenAI's <c>json_object</c>), with white space between tokens in runs that are not long.</summary>
    public static Grammar Json { get; } = new(JsonSchemaReader.AnyObject(new JsonGrammarOptions()));

    /// <summary>
    /// The JSON texts of values that meet a schema: properties in the schema's order, those that may be absent skipped, others last. Never a text
    /// that the schema forbids; texts that it allows may be left out (other orders, another spelling of a listed value, 1.0 for a whole number).
    /// </summary>
    /// <param name="schema">A JSON schema, Draft 2020-12, as JSON.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="BadInputException">It is no schema, no value meets it, or it demands what cannot be held to while a text is written. The
    /// part is a JSON pointer into the schema.</exception>
    public static Grammar JsonSchema(string schema, JsonGrammarOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        var rules = JsonSchemaReader.Read(schema, options ?? new JsonGrammarOptions());
        try
        {
            return new(rules);
        }
        catch (BadInputException problem) when (problem.Origin == "grammar")
        {
            throw new BadInputException(JsonSchemaReader.Origin, null, $"as a grammar: {problem.Message}", problem);
        }
    }
}
