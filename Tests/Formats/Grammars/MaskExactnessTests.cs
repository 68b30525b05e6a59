using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>Masks of a whole vocabulary against each token by itself, along texts that meet each way in which masks are made.</summary>
[Category("Conformance")]
internal sealed class MaskExactnessTests
{
    private static GrammarVocabulary? vocabulary;

    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("white space", () => Grammar.JsonSchema("""{"properties":{"a":{"type":"number"},"b":{"type":"array"}}}"""),
            "{  \n \"a\"  :   1.5e3 ,\n        \"b\" : [ 1 ,   {\"x\":\"y z\"} ] }");
        yield return Case("counted characters", () => Grammar.JsonSchema("""{"type":"string","minLength":2,"maxLength":40}"""),
            "\"é one \\n two \\u00e9 three four five\"");
        yield return Case("counts in counts", () => Grammar.Regex("([a-z ]{0,20}x?){1,30}[ \\t]{0,40}y?"), "some words and x more words   \t");
        yield return Case("characters that what follows takes too", () => Grammar.Regex("[ \\t\\r\\n]{0,30}(\\t?a[ \\n]{0,25})*"), "  \n\ta   \na");
        yield return Case("words", () => Grammar.Regex("\\w+( \\w+)*\\."), "the quick fox.");
        yield return Case("free text with a trigger", () => Grammar.StructuralTag("""
            {"type":"structural_tag","format":{"type":"triggered_tags","triggers":["<tool"],
            "tags":[{"begin":"<tool>","content":{"type":"json_schema","json_schema":{"type":"object"}},"end":"</tool>"}]}}
            """), "Some <to text <tool>{\"a\": 1}</tool> more <");
    }

    private static TestCaseData Case(string name, Func<Grammar> make, string text) => new TestCaseData(make, text).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Cases))]
    public void Allows_exactly_the_tokens_whose_bytes_it_takes(Func<Grammar> make, string text)
    {
        vocabulary ??= new GrammarVocabulary(SharedTokenizer.Open("qwen3"), []);
        var matcher = new CompiledGrammar(make(), vocabulary).Match();
        var bits = new uint[vocabulary.MaskWords];
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        for (var at = 0; at <= bytes.Length; at++)
        {
            matcher.FillMask(bits);
            for (var id = 0; id < vocabulary.Size; id++)
                if ((bits[id >> 5] >> id & 1) != 0 != matcher.Allows(id)) Assert.Fail($"token {id} at byte {at}");
            if (at < bytes.Length) Assert.That(matcher.AcceptBytes(bytes.AsSpan(at, 1)), Is.EqualTo(1), $"byte {at}");
        }
    }
}
