using System.Text;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

[Category("Conformance")]
internal sealed class JsonSchemaConformanceTests
{
    private static IEnumerable<TestCaseData> Schemas() => StructuredCases.Of("json_schema.json");

    private static IEnumerable<TestCaseData> Policies() => StructuredCases.Of("policy.json");

    [TestCaseSource(nameof(Schemas))]
    public void Takes_and_refuses_the_texts_of_a_schema(JsonElement one)
    {
        StructuredCases.Require(one);
        if (Admit(one, mayRefuse: one.GetProperty("admit").GetString() == "may refuse") is not { } grammar) return;
        Assert.Multiple(() =>
        {
            foreach (var text in one.GetProperty("texts").EnumerateArray())
            {
                var (_, isComplete) = ByteMatch.Run(grammar, StructuredCases.Bytes(text, "text", "hex"));
                if (StructuredCases.Flag(text, "expected") == false) Assert.That(isComplete, Is.False, text.GetRawText());
                if (text.GetProperty("drop_in").GetString() is var wanted and not "free")
                    Assert.That(isComplete, Is.EqualTo(wanted == "accept"), text.GetRawText());
            }
            foreach (var prefix in one.GetProperty("prefixes").EnumerateArray())
            {
                if (prefix.GetProperty("drop_in").GetString() is not ("accept" or "reject") and var free)
                {
                    Assert.That(free, Is.EqualTo("free"));
                    continue;
                }
                var bytes = StructuredCases.Bytes(prefix, "text", "hex");
                var isAlive = ByteMatch.Run(grammar, bytes).Taken == bytes.Length;
                Assert.That(isAlive, Is.EqualTo(prefix.GetProperty("drop_in").GetString() == "accept"), prefix.GetRawText());
            }
        });
    }

    [TestCaseSource(nameof(Policies))]
    public void Takes_no_text_that_a_schema_forbids_and_no_other_white_space_than_is_said(JsonElement one)
    {
        StructuredCases.Require(one);
        if (!one.TryGetProperty("schema", out var schema)) Assert.Ignore("A case without a schema.");
        var grammar = Admit(one, mayRefuse: false)!;
        var tight = Grammar.JsonSchema(schema.GetRawText(), new JsonGrammarOptions { DisableAnyWhitespace = true });
        Assert.Multiple(() =>
        {
            foreach (var text in one.GetProperty("texts").EnumerateArray())
            {
                var bytes = StructuredCases.Bytes(text, "text", "hex");
                var (isTaken, isTakenTight) = (ByteMatch.Run(grammar, bytes).IsComplete, ByteMatch.Run(tight, bytes).IsComplete);
                if (StructuredCases.Flag(text, "expected") == false) Assert.That(isTaken || isTakenTight, Is.False, text.GetRawText());
                if (isTakenTight) Assert.That(IsSpaced(bytes), Is.True, text.GetRawText());
                if (isTaken && IsSpaced(bytes)) Assert.That(isTakenTight, Is.True, text.GetRawText());
            }
        });
    }

    // As json.dumps writes it: a space behind each comma and colon, and no other between tokens.
    private static bool IsSpaced(byte[] json)
    {
        var (isInside, spaced) = (false, new StringBuilder());
        var text = Encoding.UTF8.GetString(json);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"') isInside = !isInside;
            else if (isInside && text[i] == '\\') spaced.Append(text[i++]);
            if (isInside || !" \t\r\n".Contains(text[i])) spaced.Append(text[i]);
            if (!isInside && text[i] is ',' or ':') spaced.Append(' ');
        }
        return spaced.ToString() == text;
    }

    private static Grammar? Admit(JsonElement one, bool mayRefuse)
    {
        try
        {
            return Grammar.JsonSchema(one.GetProperty("schema").GetRawText());
        }
        catch (BadInputException problem)
        {
            Assert.That(mayRefuse, Is.True, problem.Message);
            return null;
        }
    }
}
