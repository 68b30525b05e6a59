using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

[Category("Conformance")]
internal sealed class EbnfConformanceTests
{
    private static IEnumerable<TestCaseData> Cases() => StructuredCases.Of("ebnf.json");

    [TestCaseSource(nameof(Cases))]
    public void Takes_the_texts_of_the_rules(JsonElement one)
    {
        StructuredCases.Require(one);
        var engines = one.GetProperty("admission").EnumerateObject().ToArray();
        var texts = one.GetProperty("texts");
        if (texts.GetArrayLength() == 0)
        {
            // Nothing to say about texts: the grammar is one to refuse.
            Assert.That(() => Grammar.Ebnf(one.GetProperty("grammar").GetString()!), Throws.InstanceOf<BadInputException>());
            return;
        }
        Assert.That(engines.Any(engine => engine.Value.GetString() == "ok"), Is.True, "a grammar with texts is one that an engine serves");
        ByteMatch.Check(Grammar.Ebnf(one.GetProperty("grammar").GetString()!), texts);
    }
}
