using CsCheck;
using Quilt.Formats;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Json;

namespace Quilt.Tests.Formats.Grammars;

internal sealed class GrammarMatcherTests
{
    private static readonly string[] Pieces = ["a", "b", "é", "漢", "\"", "\\", "n", "}", "]", "{", "[", ",", ":", " ", "\n", "1", "0", "\"a\":", "</x>", "<"];

    private static readonly Func<Grammar>[] Makers =
    [
        () => new(JsonSchemaReader.AnyObject(new())),
        () => new(JsonSchemaReader.Read("""{"type":"string","maxLength":40}""", new())),
        () => new(JsonSchemaReader.Read("""{"type":"array","items":{"type":"string","minLength":2,"maxLength":6},"maxItems":3}""", new())),
        () => new(JsonSchemaReader.Read("""{"type":"object","properties":{"a":{"$ref":"#"},"b":{"type":"array","items":{"$ref":"#"}}}}""", new())),
        () => Grammar.Ebnf("root ::= \"[\" root* \"]\" | [^\\x5d\\x5b]{0,20} | root \",\" root"),
        () => Grammar.Regex("(.{1,30}\\n)*</x>"),
        () => Grammar.StructuralTag("""{"format":{"type":"triggered_tags","triggers":["<"],"tags":[{"begin":"<","content":{"type":"any_text"},"end":"</x>"}]}}"""),
    ];

    [Test]
    public void Allows_a_token_if_and_only_if_its_bytes_can_go_on() =>
        Gen.Select(Gen.Int[0, Makers.Length - 1], Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[1, 24].Select(string.Concat).Array[5, 60], Gen.Int[0, int.MaxValue]).Sample(
            (which, words, seed) =>
            {
                var vocabulary = SmallVocabulary.Of([.. Pieces, .. words], out _, out var end);
                var matcher = new CompiledGrammar(Makers[which](), vocabulary).Match();
                var random = new Random(seed);
                var bits = new uint[vocabulary.MaskWords + 1];
                for (var step = 0; step < 60; step++)
                {
                    matcher.FillMask(bits);
                    var allowed = new List<int>();
                    for (var id = 0; id < bits.Length * 32; id++)
                        if ((bits[id >> 5] >> id & 1) != 0) allowed.Add(id);
                    for (var id = 0; id < vocabulary.Size; id++)
                        if (matcher.Allows(id) != allowed.Contains(id)) return false;
                    if (matcher.CountAllowed() != allowed.Count || allowed.Contains(end) != matcher.IsComplete) return false;
                    allowed.Remove(end);
                    if (allowed.Count == 0) return matcher.IsComplete;
                    if (!matcher.Accept(allowed[random.Next(allowed.Count)])) return false;
                }
                return true;
            }, iter: 60);

    [Test]
    public void A_token_that_is_not_allowed_changes_nothing()
    {
        var vocabulary = SmallVocabulary.Of(["a", "b", "ab"], out var special, out var end);
        var matcher = new CompiledGrammar(Grammar.Regex("ab"), vocabulary).Match();
        Assert.That(new[] { 1, special, end, -1, 99 }.Select(matcher.Accept), Is.All.False);
        Assert.That(matcher.Accept(0), Is.True);
        Assert.That(matcher.Accept(2), Is.False);
        Assert.That(matcher.Accept(1), Is.True);
        Assert.That(matcher.Accept(end), Is.True);
        Assert.That((matcher.IsEnded, matcher.CountAllowed(), matcher.Accept(end)), Is.EqualTo((true, 0, false)));
    }

    [Test]
    public void A_special_token_stands_only_where_the_grammar_names_it()
    {
        var vocabulary = SmallVocabulary.Of(["<", "call", ">", "a"], out var special, out _);
        var rules = new GrammarRules(new Sequence([new Repeat(new CodePoint(CodePointSet.Any), 0, null), new SpecialToken(SmallVocabulary.Special), Nodes.Text("a")]), Grammar.NoRules);
        var matcher = new CompiledGrammar(new Grammar(rules), vocabulary).Match();
        Assert.That(new[] { 3, 0, 1, 2, special }.Select(matcher.Accept), Is.All.True);
        Assert.That((matcher.Allows(special), matcher.Allows(0), matcher.Allows(3)), Is.EqualTo((false, false, true)));
        var text = new CompiledGrammar(Grammar.Regex("<call>a"), vocabulary).Match();
        Assert.That(text.Allows(special), Is.False);
        Assert.That(() => new CompiledGrammar(new Grammar(new GrammarRules(new SpecialToken("<none>"), Grammar.NoRules)), vocabulary), Throws.InstanceOf<BadInputException>());
    }

    [Test]
    public void Goes_back_to_a_place_that_it_was_at()
    {
        var vocabulary = SmallVocabulary.Of(["a", "b"], out _, out _);
        var matcher = new CompiledGrammar(Grammar.Regex("a+b"), vocabulary).Match();
        matcher.Accept(0);
        var place = matcher.Position;
        matcher.Accept(1);
        Assert.That(matcher.IsComplete, Is.True);
        matcher.Position = place;
        Assert.That((matcher.IsComplete, matcher.Accept(0)), Is.EqualTo((false, true)));
        Assert.That(() => matcher.Position = default, Throws.ArgumentException);
    }

    [Test]
    public void A_step_that_was_taken_before_allocates_nothing()
    {
        var vocabulary = SmallVocabulary.Of(Pieces, out _, out _);
        var matcher = new CompiledGrammar(new Grammar(JsonSchemaReader.AnyObject(new())), vocabulary).Match();
        var bits = new uint[vocabulary.MaskWords];
        int[] ids = [9, 17, 9, 17, 15, 7, 7];
        for (var round = 0; round < 3; round++)
        {
            matcher.Reset();
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var id in ids)
            {
                matcher.FillMask(bits);
                if (!matcher.Accept(id)) throw new InvalidOperationException($"{id}");
            }
            if (round == 2) Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        }
        Assert.That(matcher.IsComplete, Is.True);
    }

    [Test]
    public void Matchers_on_several_threads_share_what_they_find()
    {
        var vocabulary = SmallVocabulary.Of(Pieces, out _, out _);
        var grammar = new CompiledGrammar(Makers[0](), vocabulary);
        var counts = new int[8];
        Parallel.For(0, counts.Length, i =>
        {
            var matcher = grammar.Match();
            var bits = new uint[vocabulary.MaskWords];
            foreach (var id in new[] { 9, 17, 9, 17, 15, 7, 7 })
            {
                matcher.FillMask(bits);
                if (matcher.Accept(id)) counts[i] += matcher.CountAllowed();
            }
        });
        Assert.That(counts, Is.All.EqualTo(counts[0]));
        Assert.That(counts[0], Is.GreaterThan(0));
    }

    [Test]
    public void A_cache_keeps_what_was_used_last_within_its_bytes()
    {
        var vocabulary = SmallVocabulary.Of(["a", "b"], out _, out _);
        var one = new CompiledGrammar(Grammar.Regex("a"), vocabulary).Size;
        var cache = new GrammarCache(vocabulary, capacity: 3 * one + 100);
        var first = cache.Get("0", () => Grammar.Regex("a"));
        cache.Get("1", () => Grammar.Regex("b"));
        Assert.That(cache.Get("0", () => throw new InvalidOperationException()), Is.SameAs(first));
        for (var i = 2; i < 20; i++) cache.Get($"{i}", () => Grammar.Regex("b"));
        Assert.That(cache.Count, Is.LessThan(4));
        Assert.That(cache.Size, Is.LessThanOrEqualTo(3 * one + 100));
        Assert.That(cache.Get("0", () => Grammar.Regex("a")), Is.Not.SameAs(first));
        Assert.That(() => cache.Get("x", () => Grammar.Regex("(")), Throws.InstanceOf<BadInputException>());
    }
}
