using System.Text;
using CsCheck;
using Quilt.Formats;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Automata;

namespace Quilt.Tests.Formats.Grammars;

internal sealed class AutomatonTests
{
    private const int Longest = 6;
    private static readonly string[] Names = ["r", "s", "t"];

    private static readonly Gen<GrammarNode> Leaf = Gen.OneOf<GrammarNode>(
        Gen.Const<GrammarNode>(Nodes.Text("a")), Gen.Const<GrammarNode>(Nodes.Text("b")), Gen.Const<GrammarNode>(Nodes.Text("ab")),
        Gen.Const(GrammarNode.Nothing), Gen.Const<GrammarNode>(Nodes.AnyOf("ab")), Gen.Const<GrammarNode>(new Choice([])));

    private static Gen<GrammarNode> Node(int depth, bool regular)
    {
        if (depth == 0) return regular
            ? Leaf
            : Gen.OneOf(Leaf, Leaf, Gen.Int[0, Names.Length - 1].Select(i => (GrammarNode)new RuleReference(Names[i])));
        var inner = Node(depth - 1, regular);
        var common = Gen.OneOf(
            inner,
            inner.Array[1, 3].Select(items => (GrammarNode)new Sequence([.. items])),
            inner.Array[1, 3].Select(items => (GrammarNode)new Choice([.. items])),
            Gen.Select(inner, Gen.Int[0, 3], Gen.Int[-1, 3])
                .Select((item, least, more) => (GrammarNode)new Repeat(item, least, more < 0 ? null : least + more)));
        var within = Node(depth - 1, regular: true);
        return Gen.OneOf(common, common, common,
            within.Array[2].Select(items => (GrammarNode)new All([.. items])),
            within.Select(item => (GrammarNode)new Not(item)));
    }

    private static readonly Gen<GrammarRules> Grammars = Gen.Select(Node(2, false), Node(2, false), Node(2, false), Node(2, false))
        .Select((root, r, s, t) => new GrammarRules(root, new Dictionary<string, GrammarNode> { ["r"] = r, ["s"] = s, ["t"] = t }));

    [Test]
    public void Takes_the_texts_that_the_rules_define_and_only_their_beginnings() => Grammars.Sample(
        grammar =>
        {
            var language = new LanguageSet(grammar, Longest);
            Automaton automaton;
            try
            {
                automaton = new Automaton(grammar);
            }
            catch (BadInputException problem) when (problem.Message.Contains("no finite text", StringComparison.Ordinal))
            {
                return language.Texts.Count == 0;
            }
            foreach (var text in language.All)
            {
                var state = Run(automaton, text);
                if (language.Texts.Contains(text) != (state?.IsComplete ?? false)) return false;
                if (state is null && language.Texts.Any(whole => whole.StartsWith(text, StringComparison.Ordinal))) return false;
                // Whatever is taken so far can be completed.
                if (state is not null && text.Length < 4 && !CanComplete(automaton, state)) return false;
            }
            return true;
        }, iter: 600, print: grammar =>
            $"{Show(grammar.Root)} where {string.Join("; ", grammar.Rules.Select(rule => $"{rule.Key} = {Show(rule.Value)}"))}");

    private static ParserState? Run(Automaton automaton, string text)
    {
        ParserState? state = automaton.Start;
        foreach (var value in Encoding.UTF8.GetBytes(text)) state = state is null ? null : automaton.Step(state, value);
        return state;
    }

    private static bool CanComplete(Automaton automaton, ParserState start)
    {
        var seen = new HashSet<ParserState> { start };
        var queue = new Queue<ParserState>(seen);
        for (var steps = 0; queue.TryDequeue(out var state) && steps < 3000; steps++)
        {
            if (state.IsComplete) return true;
            for (var value = 0; value < 256; value++)
                if (automaton.Step(state, (byte)value) is { } next && seen.Add(next)) queue.Enqueue(next);
        }
        return false;
    }

    private static string Show(GrammarNode node) => node switch
    {
        Literal literal => Encoding.UTF8.GetString(literal.Bytes.AsSpan()),
        CodePoint => ".",
        Sequence sequence => $"({string.Join(' ', sequence.Items.Select(Show))})",
        Choice choice => $"({string.Join('|', choice.Items.Select(Show))})",
        Repeat repeat => $"{Show(repeat.Item)}{{{repeat.Least},{repeat.Most}}}",
        All all => $"({string.Join('&', all.Items.Select(Show))})",
        Not not => $"!{Show(not.Item)}",
        RuleReference reference => $"<{reference.Name}>",
        _ => "?",
    };

    [Test]
    public void A_rule_that_begins_with_itself_behind_what_may_be_empty_is_taken()
    {
        var rule = new Choice([new Repeat(new RuleReference("r"), 0, null), new Not(Nodes.Text("a"))]);
        var grammar = new Grammar(new GrammarRules(new RuleReference("r"), new Dictionary<string, GrammarNode> { ["r"] = rule }));
        Assert.That(ByteMatch.Run(grammar, "a"u8), Is.EqualTo((1, false)));
        Assert.That(ByteMatch.Run(grammar, "ab"u8), Is.EqualTo((2, true)));
    }

    [Test]
    public void Counts_inside_of_counts_do_not_grow_with_the_text()
    {
        var grammar = Grammar.Regex("(a{1,1000}){1,1000}");
        var state = grammar.Automaton.Start;
        var most = 0;
        for (var i = 0; i < 3000; i++)
        {
            state = grammar.Automaton.Step(state, (byte)'a')!;
            most = Math.Max(most, state.Items.Length);
        }
        Assert.That(most, Is.LessThan(20));
    }

    [Test]
    public void A_long_text_of_ever_new_states_is_forgotten_again()
    {
        var grammar = Grammar.Regex("a{1,200000}");
        var state = grammar.Automaton.Start;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 199_999; i++) state = grammar.Automaton.Step(state, (byte)'a')!;
        Assert.That(state.IsComplete, Is.True);
        Assert.That(grammar.Automaton.Step(state, (byte)'a')!.Items, Is.Empty);
        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(200 << 20));
    }

    [TestCase("root ::= root")]
    [TestCase("root ::= a\na ::= b \"x\"\nb ::= a")]
    [TestCase("root ::= \"(\" root \")\"")]
    public void A_grammar_without_finite_texts_is_refused(string rules) =>
        Assert.That(() => Grammar.Ebnf(rules), Throws.InstanceOf<BadInputException>());

    [Test]
    public void Deep_chains_of_optional_rules_cost_no_more_than_they_are()
    {
        var rules = string.Concat(Enumerable.Range(0, 30).Select(i => $"a{i} ::= a{i + 1} a{i + 1}\n"));
        var grammar = Grammar.Ebnf($"root ::= a0\n{rules}a30 ::= \"x\"?\n");
        Assert.That(ByteMatch.Run(grammar, "xxxxxxxxxxxxxxxxxxxx"u8), Is.EqualTo((20, true)));
    }
}
