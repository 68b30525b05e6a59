using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

[Category("Conformance")]
internal sealed class StructuralTagConformanceTests
{
    private static IEnumerable<TestCaseData> Cases() => StructuredCases.Of("structural_tag.json");

    [TestCaseSource(nameof(Cases))]
    public void Takes_free_text_and_constrained_parts(JsonElement one)
    {
        StructuredCases.Require(one);
        var tag = one.GetProperty("structural_tag").GetRawText();
        if (one.GetProperty("admission").GetProperty("xgrammar").GetString() != "ok")
        {
            Assert.That(() => Grammar.StructuralTag(tag), Throws.InstanceOf<BadInputException>());
            return;
        }
        ByteMatch.Check(Grammar.StructuralTag(tag), one.GetProperty("texts"));
    }
}
