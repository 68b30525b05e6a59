using System.Text;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>
/// What a grammar over the letters a and b means, as the set of its texts up to a length: the definition itself, rule by rule until nothing is added.
/// </summary>
internal sealed class LanguageSet
{
    private readonly int longest;
    private readonly Dictionary<string, HashSet<string>> rules = [];

    public LanguageSet(GrammarRules grammar, int longest)
    {
        this.longest = longest;
        All = [""];
        for (var from = 0; All[from].Length < longest; from++) All.AddRange([All[from] + "a", All[from] + "b"]);
        foreach (var name in grammar.Rules.Keys) rules[name] = [];
        bool grown;
        do
        {
            grown = false;
            foreach (var (name, body) in grammar.Rules)
            {
                var before = rules[name].Count;
                rules[name].UnionWith(Of(body));
                grown |= rules[name].Count > before;
            }
        }
        while (grown);
        Texts = Of(grammar.Root);
    }

    /// <summary>All texts up to the length.</summary>
    public List<string> All { get; }

    /// <summary>Those of the grammar.</summary>
    public HashSet<string> Texts { get; }

    private HashSet<string> Of(GrammarNode node) => node switch
    {
        Literal literal => [.. new[] { Encoding.UTF8.GetString(literal.Bytes.AsSpan()) }.Where(text => text.Length <= longest)],
        CodePoint point => [.. new[] { "a", "b" }.Where(text => point.Set.Contains(text[0]))],
        Sequence sequence => sequence.Items.Aggregate(new HashSet<string> { "" }, (texts, item) => Join(texts, Of(item))),
        Choice choice => [.. choice.Items.SelectMany(Of)],
        Repeat repeat => Times(Of(repeat.Item), repeat.Least, repeat.Most ?? int.MaxValue),
        All all => all.Items.Select(Of).Aggregate((one, other) => [.. one.Intersect(other)]),
        Not not => [.. All.Except(Of(not.Item))],
        RuleReference reference => rules[reference.Name],
        _ => throw new ArgumentOutOfRangeException(nameof(node)),
    };

    private HashSet<string> Join(HashSet<string> one, HashSet<string> other) =>
        [.. one.SelectMany(first => other.Where(second => first.Length + second.Length <= longest).Select(second => first + second))];

    // A text that is empty may stand for any number of times.
    private HashSet<string> Times(HashSet<string> texts, int least, int most)
    {
        HashSet<string> now = [""], found = [];
        for (var count = 0; count <= Math.Min(most, Math.Max(least, 0) + longest + 1); count++)
        {
            if (count >= least) found.UnionWith(now);
            now = Join(now, texts);
        }
        return found;
    }
}
