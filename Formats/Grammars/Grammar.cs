using System.Buffers;
using System.Text;
using Quilt.Formats.Grammars.Automata;
using Quilt.Formats.Grammars.Json;
using Quilt.Formats.Grammars.Notations;
using Quilt.Formats.Grammars.Tags;

namespace Quilt.Formats.Grammars;

/// <summary>
/// What a reply must look like, whatever the tokenizer. A grammar that was made can be served: all that is malformed, not supported or too large is
/// refused here, within a second. Immutable and safe to use from several threads.
/// </summary>
public sealed partial class Grammar
{
    private const int MaxChoices = 100_000;

    internal Grammar(GrammarRules rules) => Automaton = new Automaton(rules);

    internal Automaton Automaton { get; }

    /// <summary>Roughly how much memory it takes, in bytes; what is remembered while it is used comes to that.</summary>
    public long Size => 256L * Automaton.Size;

    /// <summary>Texts that a regular expression matches as a whole.</summary>
    /// <param name="pattern">The pattern. Backreferences, look-around, word boundaries, possessive repeats, flags, and anchors in the middle are not
    /// supported; <c>\d</c>, <c>\w</c> and <c>\s</c> are Unicode's, <c>.</c> is anything but a line feed.</param>
    /// <exception cref="BadInputException">It is malformed, not supported or too large.</exception>
    public static Grammar Regex(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return new(new GrammarRules(RegexReader.Read(pattern), NoRules));
    }

    /// <summary>One of some texts.</summary>
    /// <param name="texts">1 to 100,000 texts.</param>
    /// <exception cref="BadInputException">There are none or too many, or one is not Unicode.</exception>
    public static Grammar Choice(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count is 0 or > MaxChoices)
            throw new BadInputException("choice", null, $"1 to {MaxChoices} texts are expected, there are {texts.Count}");
        var items = new GrammarNode[texts.Count];
        for (var i = 0; i < items.Length; i++)
        {
            try
            {
                items[i] = new Literal([.. Strict.GetBytes(texts[i] ?? throw new BadInputException("choice", $"text {i}", "is null"))]);
            }
            catch (EncoderFallbackException problem)
            {
                throw new BadInputException("choice", $"text {i}", "half a surrogate pair", problem);
            }
        }
        return new(new GrammarRules(new Choice([.. items]), NoRules));
    }

    /// <summary>
    /// A grammar as rules: xgrammar's EBNF and llama.cpp's GBNF (<c>name ::= …</c>; the text is what <c>root</c> takes), or Lark's form
    /// (<c>name: …</c>; what <c>start</c> takes), which is assumed where no line begins with a name and <c>::=</c>.
    /// </summary>
    /// <param name="text">The rules.</param>
    /// <exception cref="BadInputException">It is malformed, not supported or too large, or no finite text belongs to it.</exception>
    public static Grammar Ebnf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(ReadRules(text));
    }

    /// <summary>
    /// Free text with constrained parts, as xgrammar's structural tags: triggered tags, tags with a separator, sequences, alternatives, with JSON
    /// schemas (as JSON, or as a model's XML parameters), regular expressions and grammars in them; or vLLM's older form of them.
    /// </summary>
    /// <param name="json">The structural tag.</param>
    /// <param name="options">How JSON in it is written; null: the defaults.</param>
    /// <exception cref="BadInputException">It is malformed, not supported or too large.</exception>
    public static Grammar StructuralTag(string json, JsonGrammarOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new(StructuralTagReader.Read(json, options ?? new()));
    }

    internal static GrammarRules ReadRules(string text) =>
        text.Split('\n').Any(BeginsEbnfRule) ? EbnfReader.Read(text) : LarkReader.Read(text, schema => JsonSchemaReader.Read(schema, new()));

    private static bool BeginsEbnfRule(string line)
    {
        var name = line.AsSpan().TrimStart();
        var end = name.IndexOf("::=", StringComparison.Ordinal);
        return end > 0 && name[..end].TrimEnd().IndexOfAnyExcept(NameParts) < 0;
    }

    private static readonly SearchValues<char> NameParts = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    internal static UTF8Encoding Strict { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static IReadOnlyDictionary<string, GrammarNode> NoRules { get; } = new Dictionary<string, GrammarNode>();
}
