using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

[Category("Conformance")]
internal sealed class RegexConformanceTests
{
    private static IEnumerable<TestCaseData> Cases() => StructuredCases.Of("regex.json");

    [TestCaseSource(nameof(Cases))]
    public void Takes_the_texts_that_the_pattern_matches_as_a_whole(JsonElement one)
    {
        StructuredCases.Require(one);
        var pattern = one.GetProperty("pattern").GetString()!;
        var admission = one.GetProperty("admission");
        // Where an engine that serves patterns soundly, or the specification, refuses one, so may this.
        var mayRefuse = admission.EnumerateObject().Any(engine => engine.Value.GetString() != "ok");
        var mustRefuse = admission.EnumerateObject().All(engine => engine.Value.GetString() != "ok")
            || one.GetProperty("name").GetString()!.StartsWith("unsupported/", StringComparison.Ordinal);
        Grammar grammar;
        try
        {
            grammar = Grammar.Regex(pattern);
        }
        catch (BadInputException problem)
        {
            Assert.That(mayRefuse || pattern.Contains("&&", StringComparison.Ordinal), Is.True, problem.Message);
            return;
        }
        Assert.That(mustRefuse, Is.False, "every engine refuses it");
        ByteMatch.Check(grammar, one.GetProperty("texts"));
        foreach (var text in one.GetProperty("texts").EnumerateArray().Where(text => text.TryGetProperty("hex", out _)))
        {
            // Half a character: the engines' own count of bytes is all there is.
            var bytes = StructuredCases.Bytes(text, "text", "hex");
            var engines = new[] { "xgrammar", "llguidance" }.Select(engine => text.GetProperty(engine)).ToArray();
            if (Array.TrueForAll(engines, engine => engine.ValueKind == JsonValueKind.Number))
                Assert.That(engines.Select(engine => engine.GetInt32()), Does.Contain(ByteMatch.Run(grammar, bytes).Taken), text.GetRawText());
        }
    }
}
