using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Decoding;
using Quilt.Formats.Tokenizers.Normalizing;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>Normalizers and decoders by themselves, and the classes behind them, as the reference library has them.</summary>
[Category("Conformance")]
[Parallelizable(ParallelScope.Self)]
public sealed class ComponentGoldenTests
{
    public static IEnumerable<TestCaseData> Normalizers() => Listed("normalizers", "strings");

    public static IEnumerable<TestCaseData> Decoders() => Listed("decoders", "tokens");

    public static IEnumerable<TestCaseData> RustClasses() => Roots("rust_functions")
        .SelectMany(root => root.GetProperty("rust_functions").EnumerateObject())
        .Select(entry => new TestCaseData(entry.Name, entry.Value).SetArgDisplayNames(entry.Name))
            .DefaultIfEmpty(new TestCaseData("none", default(JsonElement)));

    public static IEnumerable<TestCaseData> UnicodeFiles() => Roots("normalization_differs_from_ucd14")
        .Select(root => new TestCaseData(root).SetArgDisplayNames("unicode")).DefaultIfEmpty(new TestCaseData(default(JsonElement)));

    [TestCaseSource(nameof(Normalizers))]
    public void Normalizes_as_the_reference_does(string name, JsonElement test, JsonElement strings)
    {
        if (test.ValueKind == JsonValueKind.Undefined) Assert.Ignore("No conformance data.");
        var chain = NormalizerReader.Read(test.GetProperty("normalizer"), name);
        var expected = test.GetProperty("normalized");
        for (var k = 0; k < expected.GetArrayLength(); k++)
            Assert.That(Apply(chain, strings[k].GetString()!), Is.EqualTo(expected[k].GetString()), strings[k].GetString());
    }

    [TestCaseSource(nameof(Decoders))]
    public void Decodes_as_the_reference_does(string name, JsonElement test, JsonElement tokens)
    {
        if (test.ValueKind == JsonValueKind.Undefined) Assert.Ignore("No conformance data.");
        var chain = DecoderReader.Read(test.GetProperty("decoder"), name);
        var expected = test.GetProperty("decoded");
        for (var k = 0; k < expected.GetArrayLength(); k++)
        {
            var actual = chain.Decode([.. tokens[k].EnumerateArray().Select(token => token.GetString()!)]);
            // Where the reference fails, this library gives some text and must only not fail.
            if (expected[k].ValueKind == JsonValueKind.String) Assert.That(actual, Is.EqualTo(expected[k].GetString()), tokens[k].GetRawText());
            else Assert.That(actual, Is.Not.Null);
        }
    }

    [TestCaseSource(nameof(RustClasses))]
    public void Classes_outside_of_patterns_hold_the_reference_s_code_points(string name, JsonElement ranges)
    {
        if (ranges.ValueKind == JsonValueKind.Undefined) Assert.Ignore("No conformance data.");
        var expected = ranges.EnumerateArray().Select(range => (range[0].GetInt32(), range[1].GetInt32())).ToArray();
        var found = new List<(int, int)>();
        for (var c = 0; c <= CodePoints.Last; c++) if (Rune.IsValid(c) && Holds(name, char.ConvertFromUtf32(c))) found.Add((c, c));
        Assert.That(CodePointSet.Of(found).Ranges.ToArray(), Is.EqualTo(expected));
    }

    [TestCaseSource(nameof(UnicodeFiles))]
    public void Normal_forms_and_lower_case_differ_from_newer_tables_where_the_reference_s_do(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Undefined) Assert.Ignore("No conformance data.");
        foreach (var form in root.GetProperty("normalization_differs_from_ucd14").EnumerateObject())
        {
            var chain = NormalizerReader.Read(JsonSerializer.SerializeToElement(new { type = form.Name }), form.Name);
            foreach (var c in form.Value.EnumerateArray())
                Assert.That(Apply(chain, Text(c[0])), Is.EqualTo(c[1].GetString()), $"{form.Name} of U+{c[0].GetInt32():X4}");
        }
        var lowercase = NormalizerReader.Read(JsonSerializer.SerializeToElement(new { type = "Lowercase" }), "lowercase");
        foreach (var c in root.GetProperty("lowercase_differs_from_python").EnumerateArray().Concat(
            root.GetProperty("lowercase_longer_than_one").EnumerateArray()))
            Assert.That(Apply(lowercase, Text(c[0])), Is.EqualTo(c[1].GetString()), $"U+{c[0].GetInt32():X4}");
        foreach (var c in root.GetProperty("compositions_newer_than_unicode_12").EnumerateArray())
        {
            Assert.That(Apply(Chain("""{"type": "NFD"}"""), c.GetProperty("composite").GetString()!),
                Is.EqualTo(c.GetProperty("nfd_of_composite").GetString()));
        }
        foreach (var range in root.GetProperty("combining_class").GetProperty("assigned_in_ucd14_but_inert_here").EnumerateArray())
            for (var c = range[0].GetInt32(); c <= range[1].GetInt32(); c++) Assert.That(CanonicalData.Table.CombiningClass(c), Is.Zero, $"U+{c:X4}");
        // Measured by what changes places, which code points that decompose cannot.
        var nonzero = new List<(int, int)>();
        for (var c = 0; c <= CodePoints.Last; c++)
            if (CanonicalData.Table.CombiningClass(c) != 0 && CanonicalData.Table.Decomposition(c) is null) nonzero.Add((c, c));
        Assert.That(CodePointSet.Of(nonzero).Ranges.ToArray(),
            Is.EqualTo(root.GetProperty("combining_class").GetProperty("nonzero_combining_class_ranges").EnumerateArray().Select(r =>
                (r[0].GetInt32(), r[1].GetInt32()))));

        static string Text(JsonElement code) => char.ConvertFromUtf32(code.GetInt32());
    }

    // Measured through the component the name is about: what it takes away, what it makes a blank, or where it cuts.
    private static bool Holds(string name, string c)
    {
        var code = char.ConvertToUtf32(c, 0);
        return name switch
        {
            _ when name.StartsWith("char::is_whitespace", StringComparison.Ordinal)
                || name.StartsWith("BertPreTokenizer whitespace", StringComparison.Ordinal) => UnicodeClasses.Space.Contains(code),
            _ when name.StartsWith("char::is_numeric", StringComparison.Ordinal) => OlderClasses.Numeric.Contains(code),
            _ when name.Contains("punctuation", StringComparison.Ordinal) => OlderClasses.Punctuation.Contains(code),
            _ when name.StartsWith("Strip normalizer", StringComparison.Ordinal) => Apply(Chains["Strip"], $"a{c}") == "a",
            _ when name.StartsWith("StripAccents", StringComparison.Ordinal) => Apply(Chains["StripAccents"], $"a{c}") == "a",
            _ when name.StartsWith("BertNormalizer clean_text removes", StringComparison.Ordinal) => Apply(Chains["clean"], $"a{c}a") == "aa",
            _ when name.StartsWith("BertNormalizer clean_text makes space", StringComparison.Ordinal) =>
                c != " " && Apply(Chains["clean"], $"a{c}a") == "a a",
            _ when name.StartsWith("BertNormalizer chinese", StringComparison.Ordinal) => Apply(Chains["chinese"], c) == $" {c} ",
            _ when name.StartsWith("Nmt removes", StringComparison.Ordinal) => Apply(Chains["Nmt"], $"a{c}a") == "aa",
            _ when name.StartsWith("Nmt makes space", StringComparison.Ordinal) => c != " " && Apply(Chains["Nmt"], $"a{c}a") == "a a",
            _ => throw new AssertionException($"The fixture does not know how to measure \"{name}\"."),
        };
    }

    private static readonly Dictionary<string, NormalizerChain> Chains = new()
    {
        ["Strip"] = Chain("""{"type": "Strip", "strip_left": true, "strip_right": true}"""),
        ["StripAccents"] = Chain("""{"type": "StripAccents"}"""),
        ["Nmt"] = Chain("""{"type": "Nmt"}"""),
        ["clean"] = Chain(
            """{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": false, "strip_accents": false, "lowercase": false}"""),
        ["chinese"] = Chain(
            """{"type": "BertNormalizer", "clean_text": false, "handle_chinese_chars": true, "strip_accents": false, "lowercase": false}"""),
    };

    private static NormalizerChain Chain(string json) => NormalizerReader.Read(JsonSerializer.Deserialize<JsonElement>(json), "test");

    private static string Apply(NormalizerChain chain, string text)
    {
        var opens = true;
        return Encoding.UTF8.GetString(chain.Apply(Encoding.UTF8.GetBytes(text), new NormalizerScratch(), ref opens));
    }

    private static IEnumerable<TestCaseData> Listed(string key, string inputs) => Roots(key)
        .SelectMany(root => root.GetProperty(key).EnumerateArray().Select(test => (Test: test, Inputs: root.GetProperty(inputs))))
        .Select(entry =>
            new TestCaseData(entry.Test.GetProperty("name").GetString(), entry.Test, entry.Inputs)
            .SetArgDisplayNames(entry.Test.GetProperty("name").GetString()!))
        .DefaultIfEmpty(new TestCaseData("none", default(JsonElement), default(JsonElement)));

    private static IEnumerable<JsonElement> Roots(string key)
    {
        foreach (var file in Shared.Files("tokenizers", "*.json").Concat(Shared.Files("tokenizers/corner", "*.json")))
        {
            if (file is null) continue;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(key, out _))
                yield return document.RootElement.Clone();
        }
    }
}
