using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Json;

namespace Quilt.Tests.Formats.Grammars;

[Category("Conformance")]
internal sealed class MaskConformanceTests
{
    private static readonly Dictionary<string, GrammarVocabulary> Vocabularies = [];

    private static IEnumerable<TestCaseData> Cases() => StructuredCases.Of("masks.json");

    [TestCaseSource(nameof(Cases))]
    public void Allows_exactly_the_tokens_that_can_go_on(JsonElement one)
    {
        StructuredCases.Require(one);
        var grammar = ReadGrammar(one);
        var prefix = StructuredCases.Bytes(one, "prefix", "prefix_hex");
        Assert.Multiple(() =>
        {
            foreach (var (name, sets) in one.GetProperty("masks").EnumerateObject().Select(mask => (mask.Name, mask.Value)))
            {
                if (sets.GetProperty("recommended").ValueKind == JsonValueKind.Null) continue;
                var expected = Recommended(sets);
                var vocabulary = Vocabulary(name);
                var matcher = new CompiledGrammar(grammar, vocabulary).Match();
                Assert.That(matcher.AcceptBytes(prefix), Is.EqualTo(prefix.Length), name);
                var bits = new uint[vocabulary.MaskWords];
                matcher.FillMask(bits);
                var ids = Ids(bits);
                Assert.That(matcher.CountAllowed(), Is.EqualTo(ids.Count), name);
                Assert.That(matcher.IsComplete, Is.EqualTo(expected.GetProperty("eos").GetBoolean()), name);
                // In strings with a pattern or format the engine that the masks were taken from knows no escapes; JSON does.
                if (one.GetProperty("kind").GetString() == "json" && ids.Count > expected.GetProperty("count").GetInt32())
                    ids.RemoveAll(id => vocabulary.Bytes(id)[0] == '\\');
                Assert.That(ids, Has.Count.EqualTo(expected.GetProperty("count").GetInt32()), name);
                Assert.That(Hash(ids), Is.EqualTo(expected.GetProperty("sha256").GetString()), $"{name}: {string.Join(' ', ids.Take(40))}");
                foreach (var id in ids.Where((_, i) => i % Math.Max(1, ids.Count / 50) == 0)) Assert.That(matcher.Allows(id), Is.True, $"{name}: {id}");
            }
        });
    }

    // "same as NAME" stands for another entry.
    private static JsonElement Recommended(JsonElement sets)
    {
        var set = sets.GetProperty("recommended");
        while (set.ValueKind == JsonValueKind.String)
            set = sets.GetProperty(set.GetString()!["same as ".Length..].Replace(' ', '_'));
        return set;
    }

    private static Grammar ReadGrammar(JsonElement one)
    {
        var spec = one.GetProperty("spec");
        switch (one.GetProperty("kind").GetString())
        {
            case "regex": return Grammar.Regex(spec.GetString()!);
            case "ebnf": return Grammar.Ebnf(spec.GetString()!);
            // The masks were taken from an engine whose white space has no bound.
            default: return new Grammar(JsonSchemaReader.Read(spec.GetRawText(), new() { WhitespacePattern = "[ \\t\\r\\n]*" }));
        }
    }

    private static GrammarVocabulary Vocabulary(string name)
    {
        lock (Vocabularies)
        {
            if (Vocabularies.TryGetValue(name, out var known)) return known;
            using var cases = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("cases", "structured", "masks.json")));
            var end = cases.RootElement.GetProperty("eos").GetProperty(name).GetInt32();
            return Vocabularies[name] = new GrammarVocabulary(SharedTokenizer.Open(name), [end]);
        }
    }

    private static List<int> Ids(uint[] bits)
    {
        var ids = new List<int>();
        for (var i = 0; i < bits.Length; i++)
            for (var word = bits[i]; word != 0; word &= word - 1) ids.Add(i * 32 + BitOperations.TrailingZeroCount(word));
        return ids;
    }

    private static string Hash(List<int> ids)
    {
        var bytes = new byte[4 * ids.Count];
        for (var i = 0; i < ids.Count; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), ids[i]);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}
