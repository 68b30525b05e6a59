using System.IO.Compression;
using BenchmarkDotNet.Attributes;
using Quilt.Formats.Grammars;
using Quilt.Formats.Tokenizers;

namespace Quilt.Perf.Formats;

/// <summary>
/// A reply's way through a grammar, with a vocabulary of 151,669 tokens (qwen3's): a grammar made and its first masks along a text, the same masks
/// again, and the vocabulary's own arrangement.
/// </summary>
public class GrammarBench
{
    private const string Schema = """
        {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"tags":{"type":"array","items":{"type":"string","maxLength":200}}},
        "required":["name","age"],"additionalProperties":false}
        """;

    private Tokenizer tokenizer = null!;
    private GrammarVocabulary vocabulary = null!;
    private CompiledGrammar warm = null!;
    private Func<Grammar> make = null!;
    private int[] ids = [];
    private uint[] bits = [];

    [Params("schema", "object", "date", "choice")]
    public string Kind { get; set; } = "schema";

    [GlobalSetup]
    public void Open()
    {
        var shared = Environment.GetEnvironmentVariable("QUILT_SHARED") ?? throw new InvalidOperationException("QUILT_SHARED is not set");
        using var packed = new GZipStream(File.OpenRead(Path.Combine(shared, "tokenizers", "qwen3", "tokenizer.json.gz")), CompressionMode.Decompress);
        using var json = new MemoryStream();
        packed.CopyTo(json);
        tokenizer = Tokenizer.Read(json.ToArray(), "tokenizer.json");
        vocabulary = new GrammarVocabulary(tokenizer, [151645]);
        bits = new uint[vocabulary.MaskWords];
        string text;
        (make, text) = Kind switch
        {
            "schema" => ((Func<Grammar>)(() => Grammar.JsonSchema(Schema)), """{"name": "Ada Lovelace", "age": 36, "tags": ["mathematics", "poetry"]}"""),
            "object" => (() => Grammar.Ebnf(JsonRules), """{"name": "Ada", "tags": ["math", {"deep": [1, 2.5e3, null]}], "note": "the \"first\""}"""),
            "date" => (() => Grammar.Regex("[0-9]{4}-[0-9]{2}-[0-9]{2}"), "2024-05-17"),
            _ => (() => Grammar.Choice([.. Enumerable.Range(0, 50_000).Select(i => $"c{i}")]), "c49999"),
        };
        ids = tokenizer.Encode(text);
        warm = new CompiledGrammar(make(), vocabulary);
        MasksAgain();
    }

    private static string JsonRules { get; } = """
        root ::= value
        value ::= object | array | string | number | "true" | "false" | "null"
        object ::= "{" ws (string ws ":" ws value (ws "," ws string ws ":" ws value)*)? ws "}"
        array ::= "[" ws (value (ws "," ws value)*)? ws "]"
        string ::= "\"" ([^"\\\x00-\x1f] | "\\" ["\\/bfnrt])* "\""
        number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [+-]? [0-9]+)?
        ws ::= [ \t\n\r]*
        """;

    [Benchmark(Description = "grammar alone")]
    public Grammar Make() => make();

    [Benchmark(Description = "grammar and first masks")]
    public int FirstMasks() => Walk(new CompiledGrammar(make(), vocabulary));

    [Benchmark(Description = "masks again")]
    public int MasksAgain() => Walk(warm);

    [Benchmark(Description = "vocabulary")]
    public GrammarVocabulary Vocabulary() => new(tokenizer, [151645]);

    private int Walk(CompiledGrammar grammar)
    {
        var matcher = grammar.Match();
        foreach (var id in ids)
        {
            matcher.FillMask(bits);
            if (!matcher.Accept(id)) throw new InvalidOperationException("the text is not one of the grammar");
        }
        return matcher.CountAllowed();
    }
}
