using Quilt.Formats;
using Quilt.Formats.Grammars;

namespace Quilt.Runtime;

/// <summary>What form a reply must have: no token is chosen that would leave it (docs/structured-output.md).</summary>
public sealed class StructuredOutput
{
    private readonly Func<Grammar> read;

    private StructuredOutput(string key, Func<Grammar> read, FormSource? source = null) => (Key, this.read, Source) = (key, read, source);

    /// <summary>Any JSON object.</summary>
    public static StructuredOutput Json { get; } = new("json", () => Grammar.Json, new("json", []));

    /// <summary>What the form is, as text: equal for equal forms.</summary>
    internal string Key { get; }

    /// <summary>JSON that a schema allows.</summary>
    /// <param name="schema">The schema, JSON.</param>
    /// <param name="options">How the JSON is written; null: the defaults.</param>
    public static StructuredOutput JsonSchema(string schema, JsonGrammarOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new($"schema {options} {schema}", () => Grammar.JsonSchema(schema, options), new("schema", [schema], options));
    }

    /// <summary>Text that a regular expression matches as a whole.</summary>
    /// <param name="pattern">The expression.</param>
    public static StructuredOutput Regex(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return new($"regex {pattern}", () => Grammar.Regex(pattern), new("regex", [pattern]));
    }

    /// <summary>One of several texts.</summary>
    /// <param name="texts">The texts; none is empty.</param>
    public static StructuredOutput Choice(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        string[] own = [.. texts];
        return new($"choice {string.Join('\0', own)}", () => Grammar.Choice(own), new("choice", own));
    }

    /// <summary>Text of a grammar in EBNF, GBNF or Lark's notation.</summary>
    /// <param name="text">The grammar.</param>
    public static StructuredOutput Ebnf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new($"ebnf {text}", () => Grammar.Ebnf(text), new("ebnf", [text]));
    }

    /// <summary>Free text with tags in it whose content has a form (a structural tag).</summary>
    /// <param name="json">The tag's description.</param>
    /// <param name="options">How JSON inside is written; null: the defaults.</param>
    public static StructuredOutput StructuralTag(string json, JsonGrammarOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new($"tag {options} {json}", () => Grammar.StructuralTag(json, options), new("tag", [json], options));
    }

    /// <summary>What it was made of, for another process to make it again; null where that is a request's tools.</summary>
    internal FormSource? Source { get; }

    /// <summary>Makes it again.</summary>
    /// <exception cref="ArgumentException">The source is of no kind that there is.</exception>
    internal static StructuredOutput From(FormSource source) => (source.Kind, source.Texts) switch
    {
        ("json", _) => Json,
        ("schema", [var text]) => JsonSchema(text, source.Options),
        ("regex", [var text]) => Regex(text),
        ("choice", var texts) => Choice(texts),
        ("ebnf", [var text]) => Ebnf(text),
        ("tag", [var text]) => StructuralTag(text, source.Options),
        _ => throw new ArgumentException(
            $"Output: expected json, schema, regex, choice, ebnf or tag, found '{source.Kind}' of {source.Texts.Length} texts."),
    };

    /// <summary>Calls of tools in a model's own form.</summary>
    internal static StructuredOutput Calls(string dialect, System.Text.Json.JsonElement tools, ToolCallOptions options) =>
        new($"calls {dialect} {options.IsRequired} {options.IsParallel} {options.Tool} {options.Arguments} {tools.GetRawText()}",
            () => Grammar.ToolCalls(dialect, tools, options));

    /// <summary>Reads it.</summary>
    /// <exception cref="BadInputException">It is not understood, or asks for what cannot be held to; the message says where.</exception>
    internal Grammar Read() => read();
}

/// <summary>What a form was made of.</summary>
/// <param name="Kind">json, schema, regex, choice, ebnf or tag.</param>
/// <param name="Texts">Its texts: several for a choice, none for json, else one.</param>
/// <param name="Options">How JSON is written; null: the defaults.</param>
internal sealed record FormSource(string Kind, string[] Texts, JsonGrammarOptions? Options = null);
