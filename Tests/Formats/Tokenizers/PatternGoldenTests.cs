using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Splitting;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>Pre-tokenizers, character classes and normal forms as the reference library has them.</summary>
[Category("Conformance")]
[Parallelizable(ParallelScope.Self)]
public sealed class PatternGoldenTests
{
    public static IEnumerable<TestCaseData> PreTokenizers() => Having("pre_tokenizers", root =>
        root.GetProperty("pre_tokenizers").EnumerateArray().Select(p => (p.GetProperty("name").GetString()!, p, root.GetProperty("strings"))));

    public static IEnumerable<TestCaseData> Classes() => Having("classes", root =>
        root.GetProperty("classes").EnumerateObject().Concat(root.GetProperty("ignore_case_single").EnumerateObject())
            .Select(c => (c.Name, c.Value, default(JsonElement))));

    public static IEnumerable<TestCaseData> Folded() => Having("ignore_case_multi", root =>
        root.GetProperty("ignore_case_multi").EnumerateArray().Select(c => (c.GetProperty("pattern").GetString()!, c, default(JsonElement))));

    public static IEnumerable<TestCaseData> Newer() => Having("compositions_newer_than_unicode_12", root =>
        root.GetProperty("compositions_newer_than_unicode_12").EnumerateArray().Select((c, i) => ($"composition {i}", c, default(JsonElement))));

    [TestCaseSource(nameof(PreTokenizers))]
    public void Cuts_texts_as_the_reference_does(string name, JsonElement? test, JsonElement strings)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        var steps = PreTokenizerReader.Read(test!.Value.GetProperty("pre_tokenizer"), name);
        var pieces = test.Value.GetProperty("pieces");
        for (var k = 0; k < pieces.GetArrayLength(); k++)
        {
            var expected = pieces[k].EnumerateArray().Select(piece => piece.GetString()!).ToArray();
            var actual = Cut(steps, Encoding.UTF8.GetBytes(strings[k].GetString()!)).Select(Encoding.UTF8.GetString).ToArray();
            Assert.That(actual, Is.EqualTo(expected), strings[k].GetString());
        }
    }

    [TestCaseSource(nameof(Classes))]
    public void Classes_hold_the_reference_s_code_points(string pattern, JsonElement? test, JsonElement unused)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        var compiled = new Pattern(pattern);
        var expected = new bool[0x110000];
        foreach (var range in test!.Value.EnumerateArray())
            Array.Fill(expected, true, range[0].GetInt32(), range[1].GetInt32() - range[0].GetInt32() + 1);
        var scratch = new MatchScratch();
        var matches = new List<(int Start, int End)>();
        var bytes = new byte[4 * 4096];
        for (var first = 0; first < 0x110000; first += 4096)
        {
            var starts = new List<(int At, int Code)>();
            var length = 0;
            for (var code = first; code < first + 4096; code++)
            {
                if (!Rune.IsValid(code)) continue;
                starts.Add((length, code));
                length += new Rune(code).EncodeToUtf8(bytes.AsSpan(length));
            }
            matches.Clear();
            scratch.Reset();
            compiled.FindAll(bytes.AsSpan(0, length), scratch, matches);
            var found = matches.Select(match => match.Start).ToHashSet();
            foreach (var (at, code) in starts)
            {
                if (found.Contains(at) != expected[code]) Assert.Fail($"{pattern} and U+{code:X4}: {found.Contains(at)}, expected {expected[code]}");
            }
        }
        Assert.That(matches, Is.Not.Null);
    }

    [TestCaseSource(nameof(Folded))]
    public void Case_folding_across_characters_is_the_reference_s(string pattern, JsonElement? test, JsonElement unused)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        var compiled = new Pattern(pattern);
        foreach (var text in test!.Value.GetProperty("also_matches").EnumerateArray())
        {
            var bytes = Encoding.UTF8.GetBytes(text.GetString()!);
            var matches = new List<(int Start, int End)>();
            compiled.FindAll(bytes, new MatchScratch(), matches);
            Assert.That(matches, Is.EqualTo(new[] { (0, bytes.Length) }), text.GetString());
        }
    }

    [TestCaseSource(nameof(Newer))]
    public void Compositions_newer_than_the_reference_s_table_do_not_exist(string name, JsonElement? test, JsonElement unused)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        var sequence = test!.Value.GetProperty("sequence").GetString()!;
        var composed = new Utf8Buffer();
        var text = NormalForm.Composed.Apply(Encoding.UTF8.GetBytes(sequence), [], composed) ? Encoding.UTF8.GetString(composed.Text) : sequence;
        Assert.That(text, Is.EqualTo(test.Value.GetProperty("nfc_of_sequence").GetString()));
    }

    private static List<byte[]> Cut(IReadOnlyList<PreTokenizerStep> steps, byte[] text)
    {
        var words = new List<byte[]>();
        var scratch = new SplitScratch();
        Down(text, 0, opens: true);
        return words;

        void Down(byte[] piece, int level, bool opens)
        {
            if (piece.Length == 0) return;
            if (level == steps.Count)
            {
                words.Add(piece);
                return;
            }
            if (steps[level] is Rewriter rewriter)
            {
                Down(rewriter.Rewrite(piece, opens, new Utf8Buffer()).ToArray(), level + 1, opens);
                return;
            }
            var found = new List<(int Start, int End)>();
            scratch.Matching.Reset();
            ((Splitter)steps[level]).Split(piece, scratch, found);
            foreach (var (start, end) in found) Down(piece[start..end], level + 1, opens && start == 0);
        }
    }

    private static IEnumerable<TestCaseData> Having(string key,
        Func<JsonElement, IEnumerable<(string Name, JsonElement Test, JsonElement More)>> cases)
    {
        var any = false;
        foreach (var file in Shared.Files("tokenizers", "*.json"))
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(key, out _)) continue;
            foreach (var (name, test, more) in cases(document.RootElement.Clone()))
            {
                any = true;
                yield return new TestCaseData(name, (JsonElement?)test, more).SetArgDisplayNames(name);
            }
        }
        if (!any) yield return new TestCaseData("none", null, default(JsonElement)).SetArgDisplayNames("none");
    }
}
