using System.Text;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Whether a regular node takes a text, found without compiling it: for names and values that a schema writes down.</summary>
internal sealed class RegularText
{
    private readonly byte[] text;
    private readonly Dictionary<(GrammarNode Node, int Start), ulong[]> known = new(ByIdentity.Instance);

    private readonly MatchBudget budget;

    private RegularText(string text, MatchBudget budget) => (this.text, this.budget) = (Encoding.UTF8.GetBytes(text), budget);

    /// <summary>Whether the node takes exactly this text.</summary>
    /// <exception cref="BadInputException">The budget is spent.</exception>
    public static bool Matches(GrammarNode node, string text, MatchBudget budget)
    {
        var run = new RegularText(text, budget);
        return Has(run.Ends(node, 0), run.text.Length);
    }

    // Where a match of the node can end that begins at `start`, a bit a position.
    private ulong[] Ends(GrammarNode node, int start)
    {
        if (known.TryGetValue((node, start), out var ends)) return ends;
        ends = None();
        budget.Spend(1 + (ends.Length / 8));
        switch (node)
        {
            case Literal literal:
                if (text.AsSpan(start).StartsWith(literal.Bytes.AsSpan())) Add(ends, start + literal.Bytes.Length);
                break;
            case CodePoint codePoint:
                if (Rune.DecodeFromUtf8(text.AsSpan(start), out var rune, out var length) == System.Buffers.OperationStatus.Done
                    && codePoint.Set.Contains(rune.Value)) Add(ends, start + length);
                break;
            case Sequence sequence:
                Add(ends, start);
                foreach (var item in sequence.Items) ends = Step(item, ends);
                break;
            case Choice choice:
                budget.Spend(choice.Items.Length / 8);
                foreach (var item in choice.Items) Union(ends, Ends(item, start));
                break;
            case Repeat repeat:
                ends = Ends(repeat, start);
                break;
            case All all:
                Array.Fill(ends, ulong.MaxValue);
                foreach (var item in all.Items)
                {
                    var more = Ends(item, start);
                    for (var i = 0; i < ends.Length; i++) ends[i] &= more[i];
                }
                break;
            case Not not:
                var denied = Ends(not.Item, start);
                for (var end = start; end <= text.Length; end++)
                {
                    if (IsBoundary(end) && !Has(denied, end)) Add(ends, end);
                }
                break;
            default: throw new InvalidOperationException($"{node.GetType().Name} is not regular");
        }
        known[(node, start)] = ends;
        return ends;
    }

    private ulong[] Ends(Repeat repeat, int start)
    {
        var (ends, now) = (None(), None());
        Add(now, start);
        // Once what is reached stays the same, further rounds change nothing.
        for (var round = 0; round <= (repeat.Most ?? int.MaxValue); round++)
        {
            if (round >= repeat.Least)
            {
                var before = (ulong[])ends.Clone();
                Union(ends, now);
                if (ends.AsSpan().SequenceEqual(before)) break;
            }
            if (round == (repeat.Most ?? int.MaxValue)) break;
            var next = Step(repeat.Item, now);
            if (next.AsSpan().SequenceEqual(now))
            {
                Union(ends, now);
                break;
            }
            now = next;
            if (!now.AsSpan().ContainsAnyExcept(0ul)) break;
        }
        return ends;
    }

    private ulong[] Step(GrammarNode item, ulong[] starts)
    {
        var ends = None();
        for (var start = 0; start <= text.Length; start++)
        {
            if (Has(starts, start)) Union(ends, Ends(item, start));
        }
        return ends;
    }

    private bool IsBoundary(int at) => at == text.Length || (text[at] & 0xC0) != 0x80;

    private ulong[] None() => new ulong[(text.Length / 64) + 1];

    private static bool Has(ulong[] set, int at) => (set[at / 64] >> (at % 64) & 1) != 0;

    private static void Add(ulong[] set, int at) => set[at / 64] |= 1ul << (at % 64);

    private static void Union(ulong[] set, ulong[] more)
    {
        for (var i = 0; i < set.Length; i++) set[i] |= more[i];
    }

    // Equal nodes need not be the same; comparing them costs more than it saves.
    private sealed class ByIdentity : IEqualityComparer<(GrammarNode Node, int Start)>
    {
        public static readonly ByIdentity Instance = new();

        public bool Equals((GrammarNode Node, int Start) x, (GrammarNode Node, int Start) y) => ReferenceEquals(x.Node, y.Node) && x.Start == y.Start;

        public int GetHashCode((GrammarNode Node, int Start) pair) =>
            HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(pair.Node), pair.Start);
    }
}
