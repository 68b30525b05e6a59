using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Json;

namespace Quilt.Tests.Formats.Grammars;

[Category("Conformance")]
[NonParallelizable]
internal sealed class BoundsConformanceTests
{
    private static readonly Lazy<GrammarVocabulary> Vocabulary = new(() => new(SharedTokenizer.Open("qwen3"), [151645]));

    private static IEnumerable<TestCaseData> Cases() => StructuredCases.Of("bounds.json");

    [TestCaseSource(nameof(Cases))]
    public void Admits_or_refuses_within_a_second_and_masks_too(JsonElement one)
    {
        StructuredCases.Require(one);
        if (!one.TryGetProperty("spec_text", out var spec))
            Assert.Ignore("The text is given as a recipe in words; the recipes have their own tests.");
        var want = one.GetProperty("want").GetString();
        var vocabulary = Vocabulary.Value;
        // A machine that is busy may be slow once.
        for (var attempt = 0; ; attempt++)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                var grammar = Make(one.GetProperty("kind").GetString()!, spec.GetString()!);
                Assert.That(want, Is.Not.EqualTo("refuse"));
                Check(one, grammar, vocabulary);
            }
            catch (BadInputException problem)
            {
                Assert.That(want, Is.Not.EqualTo("serve"), problem.Message);
            }
            // A busy machine may hold it up; once it has to be left alone.
            if (watch.Elapsed < TimeSpan.FromSeconds(1)) return;
            Assert.That(attempt, Is.LessThan(8), $"it took {watch.Elapsed}");
        }
    }

    private static void Check(JsonElement one, Grammar grammar, GrammarVocabulary vocabulary)
    {
        var matcher = new CompiledGrammar(grammar, vocabulary).Match();
        var bits = new uint[vocabulary.MaskWords];
        matcher.FillMask(bits);
        Assert.That(matcher.CountAllowed(), Is.GreaterThan(0));
        if (one.GetProperty("texts").ValueKind != JsonValueKind.Array) return;
        foreach (var text in one.GetProperty("texts").EnumerateArray())
        {
            matcher.Reset();
            matcher.AcceptBytes(Encoding.UTF8.GetBytes(text.GetString()!));
            matcher.FillMask(bits);
        }
    }

    private static Grammar Make(string kind, string spec) => kind switch
    {
        "regex" => Grammar.Regex(spec),
        "ebnf" => Grammar.Ebnf(spec),
        _ => new Grammar(JsonSchemaReader.Read(spec, new())),
    };

    private static IEnumerable<TestCaseData> Large() =>
    [
        new TestCaseData("json", Nest("{\"type\":\"array\",\"items\":", 100, "{\"type\":\"integer\"}", "}")).SetArgDisplayNames("arrays 100"),
        new TestCaseData("json", Nest("{\"type\":\"array\",\"items\":", 10_000, "{\"type\":\"integer\"}", "}")).SetArgDisplayNames("arrays 10000"),
        new TestCaseData("json", Nest("{\"anyOf\":[", 2000, "{\"type\":\"integer\"}", "]}")).SetArgDisplayNames("anyOf 2000"),
        new TestCaseData("regex", Nest("(", 5000, "a", ")")).SetArgDisplayNames("groups 5000"),
        new TestCaseData("json",
            $"{{\"enum\":[{string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"\"value_{i}\""))}]}}").SetArgDisplayNames("enum 10000"),
        new TestCaseData("ebnf",
            $"root ::= {string.Join(" | ", Enumerable.Range(0, 50_000).Select(i => $"\"c{i}\""))}").SetArgDisplayNames("choice 50000"),
        new TestCaseData("json", Properties(1000, true)).SetArgDisplayNames("required 1000"),
        new TestCaseData("json", Properties(200, false)).SetArgDisplayNames("optional 200"),
        new TestCaseData("json", Properties(2000, false)).SetArgDisplayNames("optional 2000"),
        new TestCaseData("regex", string.Concat(Enumerable.Repeat("(a|b)?", 5000))).SetArgDisplayNames("optional groups in a row"),
        new TestCaseData("ebnf",
            string.Concat(Enumerable.Range(0, 5_000).Select(i => $"r{i} ::= \"a\" r{i + 1} | \"b\"\n"))
            + "r5000 ::= \"c\"\nroot ::= r0\n").SetArgDisplayNames("5000 rules"),
    ];

    private static string Nest(string open, int times, string inner, string close) =>
        string.Concat(Enumerable.Repeat(open, times)) + inner + string.Concat(Enumerable.Repeat(close, times));

    private static string Properties(int count, bool required)
    {
        var names = Enumerable.Range(0, count).Select(i => $"\"p{i}\"").ToArray();
        return $"{{\"type\":\"object\",\"properties\":{{{string.Join(',', names.Select(name => $"{name}:{{\"type\":\"integer\"}}"))}}}"
            + (required ? $",\"required\":[{string.Join(',', names)}]}}" : "}");
    }

    [TestCaseSource(nameof(Large))]
    public void Large_inputs_are_served_or_refused_within_a_second(string kind, string spec)
    {
        var vocabulary = Vocabulary.Value;
        for (var attempt = 0; ; attempt++)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                var matcher = new CompiledGrammar(Make(kind, spec), vocabulary).Match();
                var bits = new uint[vocabulary.MaskWords];
                matcher.FillMask(bits);
                Assert.That(matcher.CountAllowed(), Is.GreaterThan(0));
            }
            catch (BadInputException problem)
            {
                Assert.That(problem.Message, Is.Not.Empty);
            }
            TestContext.Out.WriteLine($"{watch.ElapsedMilliseconds} ms");
            // A busy machine may hold it up; once it has to be left alone.
            if (watch.Elapsed < TimeSpan.FromSeconds(1)) return;
            Assert.That(attempt, Is.LessThan(8), $"it took {watch.Elapsed}");
        }
    }
}
