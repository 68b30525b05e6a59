using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers;
using Quilt.Formats.Tokenizers.Bpe;
using Quilt.Formats.Tokenizers.Patterns;
using CsCheck;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>The faster ways give what the plain ones give, and no text takes more work than its length allows.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class TokenizerWorkTests
{
    public static readonly string[] Patterns =
    [
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t)?" +
        @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{M}]*|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        @"(?:a|ab)(?:c|bcd)*?x?", @"a|ab|abc", @"(a|b)*?c|(?=x)|[ab]{2,4}?", @"\s+(?=\S)|\S", @"(?i:ss|st|ff)", @"", @"(?:ab?){0,3}",
        @"[^a]+?(?!b)|a{2}",
    ];

    [TestCaseSource(nameof(Patterns))]
    public void A_table_finds_what_trying_every_way_finds(string text)
    {
        var node = PatternParser.Parse(text);
        var (tabled, plain) = (new Pattern(node), new Pattern(node, tabled: false));
        Assert.That(tabled.IsTabled, Is.True);
        Gen.OneOf(TokenizerPropertyTests.Texts,
            Gen.OneOf("a", "b", "c", "d", "x", " ", "\n", "ß", "S", "s", "t", "f").Array[0, 20].Select(string.Concat)).Sample(sample =>
            Matches(tabled, sample).SequenceEqual(Matches(plain, sample)), iter: 3000);
    }

    [Test]
    public void A_word_cut_where_no_merge_reaches_has_the_ids_of_the_whole()
    {
        using var json = JsonDocument.Parse(TinyTokenizers.All["SentencePiece BPE"]()["model"]!.ToJsonString());
        var model = (BpeModel)BpeModelReader.Read(json.RootElement, readsBytes: false, "tiny").Model;
        Assert.That(model.Cuts, Is.Not.Null);
        var whole = new BpeModel { Merges = model.Merges, Spelling = model.Spelling };
        var (cutting, plain) = (model.CreateEncoder(), whole.CreateEncoder());
        // An encoder belongs to one thread.
        Gen.OneOf("a", "aa", "t", "h", "e", "▁", "▁the", "b", "c", "漢", "é", ".").Array[60, 200].Select(string.Concat).Sample(text =>
        {
            List<int> some = [], all = [];
            cutting.Encode(Encoding.UTF8.GetBytes(text), some);
            plain.Encode(Encoding.UTF8.GetBytes(text), all);
            return some.SequenceEqual(all);
        }, threads: 1, iter: 5000);
    }

    [Test]
    public void Twice_the_text_takes_twice_the_work(
        [ValueSource(typeof(TokenizerPropertyTests), nameof(TokenizerPropertyTests.Kinds))] string kind,
        [Values("a", "ab", " ", "the", "\n", "e\u0301", "\u0301", "漢", "<|end|>", "'", "1", "x\u0323\u0301", "▁")] string unit)
    {
        var worker = new EncodingWorker(TinyTokenizers.Open(kind).Parts);
        var once = Work(1 << 13);
        var twice = Work(1 << 14);
        // A heap adds a logarithm, and a cache of words takes work away.
        Assert.That(twice, Is.LessThanOrEqualTo(once * 5 / 2 + 1000));

        long Work(int count)
        {
            worker.Encode(string.Concat(Enumerable.Repeat(unit, count)), addSpecialTokens: false, encodeSpecialTokens: false);
            return worker.Steps;
        }
    }

    [Test]
    public void A_hundred_thousand_special_tokens_in_a_row_are_so_many_ids(
        [ValueSource(typeof(TokenizerPropertyTests), nameof(TokenizerPropertyTests.Kinds))] string kind)
    {
        var tokenizer = TinyTokenizers.Open(kind);
        var ids = tokenizer.Encode(string.Concat(Enumerable.Repeat("<|end|>", 100_000)));
        Assert.That(ids, Has.Length.EqualTo(100_000));
        Assert.That(ids, Is.All.EqualTo(ids[0]));
        Assert.That(tokenizer.IsSpecial(ids[0]), Is.True);
    }

    [Test]
    public void Encoding_again_allocates_nothing([ValueSource(typeof(TokenizerPropertyTests), nameof(TokenizerPropertyTests.Kinds))] string kind)
    {
        if (kind == "all components") Assert.Ignore("Precompiled reads graphemes, for which it makes the text a string.");
        var worker = new EncodingWorker(TinyTokenizers.Open(kind).Parts);
        var text = string.Concat(Enumerable.Range(0, 500).Select(i => $"The e\u0301 word{i} ab<|end|>{(char)('a' + i % 26)}ing 漢字 {i}\n"));
        for (var i = 0; i < 3; i++) worker.Encode(text, false, false);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var count = worker.Encode(text, false, false).Count;
        Assert.That(count, Is.GreaterThan(500));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1000));
    }

    private static List<(int, int)> Matches(Pattern pattern, string text)
    {
        var matches = new List<(int, int)>();
        var scratch = new MatchScratch();
        scratch.Reset();
        pattern.FindAll(Encoding.UTF8.GetBytes(text), scratch, matches);
        return matches;
    }
}
