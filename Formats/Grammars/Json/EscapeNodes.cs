using System.Collections.Immutable;
using System.Text;

namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// Regular nodes over texts, turned into nodes over those texts as they stand inside JSON strings. Every code point has one spelling or all of
/// them (itself, a short escape, <c>\u</c> and four digits, twice beyond U+FFFF); different code points share none, so that what holds of a text
/// holds of its spellings: both, either, not.
/// </summary>
/// <param name="all">Whether every spelling is meant, or the one of json.dumps without ASCII.</param>
internal sealed class EscapeNodes(bool all)
{
    private const string Short = "\"\\/\b\f\n\r\t";
    private const string Letters = "\"\\/bfnrt";
    private static readonly CodePointSet Raw = CodePointSet.Of((0x20, 0x10FFFF)).Except(CodePointSet.Of(('"', '"'), ('\\', '\\')));
    private static readonly CodePointSet Digits = CodePointSet.Of(('0', '9'), ('a', 'f'), ('A', 'F'));

    private readonly Dictionary<CodePointSet, GrammarNode> known = [];
    private GrammarNode? any;

    /// <summary>What may stand between the quotes of a string, half surrogate pairs too.</summary>
    public static GrammarNode AnyInside { get; } = new Repeat(Nodes.OneOf(
        new CodePoint(Raw),
        Nodes.InOrder(Nodes.Text("\\"), Nodes.OneOf(
            Nodes.AnyOf(Letters),
            Nodes.InOrder(Nodes.Text("u"), new Repeat(new CodePoint(Digits), 4, 4))))), 0, null);

    /// <summary>The spellings of a node's texts.</summary>
    public GrammarNode Of(GrammarNode node) => node switch
    {
        Literal literal => Text(literal),
        CodePoint codePoint => Of(codePoint.Set),
        Sequence sequence => Nodes.InOrder([.. sequence.Items.Select(Of)]),
        Choice choice => Nodes.OneOf([.. choice.Items.Select(Of)]),
        Repeat repeat => new Repeat(Of(repeat.Item), repeat.Least, repeat.Most),
        All both => Nodes.Both([.. both.Items.Select(Of)]),
        Not not => Nodes.Both(any ??= new Repeat(Of(CodePointSet.Any), 0, null), new Not(Of(not.Item))),
        _ => throw new InvalidOperationException($"{node.GetType().Name} is not regular"),
    };

    private GrammarNode Text(Literal literal)
    {
        var spelled = new List<GrammarNode>();
        var plain = new List<byte>();
        var bytes = literal.Bytes.AsSpan();
        while (!bytes.IsEmpty)
        {
            Rune.DecodeFromUtf8(bytes, out var rune, out var length);
            if (!all && Raw.Contains(rune.Value)) plain.AddRange(bytes[..length]);
            else
            {
                Flush();
                spelled.Add(Of(CodePointSet.Of(rune.Value)));
            }
            bytes = bytes[length..];
        }
        Flush();
        return Nodes.InOrder([.. spelled]);

        void Flush()
        {
            if (plain.Count > 0) spelled.Add(new Literal([.. plain]));
            plain.Clear();
        }
    }

    private GrammarNode Of(CodePointSet set)
    {
        if (known.TryGetValue(set, out var node)) return node;
        var forms = new List<GrammarNode>();
        var raw = set.Intersect(Raw);
        if (!raw.IsEmpty) forms.Add(new CodePoint(raw));
        var letters = new StringBuilder();
        for (var i = 0; i < Short.Length; i++)
        {
            if (set.Contains(Short[i]) && (all || Short[i] != '/')) letters.Append(Letters[i]);
        }
        var escapes = new List<GrammarNode>();
        if (letters.Length > 0) escapes.Add(Nodes.AnyOf(letters.ToString()));
        var coded = all ? set : set.Except(Raw).Except(CodePointSet.Of([.. Short.Select(c => ((int)c, (int)c))]));
        if (!coded.IsEmpty) escapes.Add(Coded(coded));
        if (escapes.Count > 0) forms.Add(Nodes.InOrder(Nodes.Text("\\"), Nodes.OneOf([.. escapes])));
        return known[set] = Nodes.OneOf([.. forms]);
    }

    // u and four digits; beyond U+FFFF two such, for the halves of a surrogate pair.
    private GrammarNode Coded(CodePointSet set)
    {
        var forms = new List<GrammarNode>();
        foreach (var (first, last) in set.Ranges)
        {
            if (first <= 0xFFFF) forms.Add(Digits4(first, Math.Min(last, 0xFFFF)));
            if (last <= 0xFFFF) continue;
            var (from, to) = (Math.Max(first, 0x10000) - 0x10000, last - 0x10000);
            while (from <= to)
            {
                // All low halves at once where they are all in.
                var end = from % 0x400 == 0 && to - from >= 0x3FF ? from + ((to - from + 1) / 0x400 * 0x400) - 1 : Math.Min(to, from | 0x3FF);
                forms.Add(Nodes.InOrder(
                    Digits4(0xD800 + (from >> 10), 0xD800 + (end >> 10)),
                    Nodes.Text("\\u"),
                    Digits4(0xDC00 + (from & 0x3FF), 0xDC00 + (end & 0x3FF))));
                from = end + 1;
            }
        }
        return Nodes.InOrder(Nodes.Text("u"), Nodes.OneOf([.. forms]));
    }

    private GrammarNode Digits4(int first, int last) => Digits4(first, last, 12);

    private GrammarNode Digits4(int first, int last, int shift)
    {
        if (shift < 0) return GrammarNode.Nothing;
        var (size, mask) = (1 << shift, (1 << shift) - 1);
        if ((first & mask) == 0 && (last & mask) == mask)
            return Nodes.InOrder(Digit(first >> shift & 15, last >> shift & 15), new Repeat(new CodePoint(Lower(0, 15)), shift / 4, shift / 4));
        if (first >> shift == last >> shift)
            return Nodes.InOrder(Digit(first >> shift & 15, first >> shift & 15), Digits4(first & mask, last & mask, shift - 4));
        var forms = new List<GrammarNode>();
        if ((first & mask) != 0)
        {
            forms.Add(Digits4(first, first | mask, shift));
            first = (first | mask) + 1;
        }
        var whole = (last & mask) == mask ? last : (last & ~mask) - 1;
        if (first <= whole) forms.Add(Digits4(first, whole, shift));
        if (whole < last) forms.Add(Digits4(last & ~mask, last, shift));
        return Nodes.OneOf([.. forms]);
    }

    private CodePoint Digit(int first, int last) => new(Lower(first, last));

    // json.dumps writes small letters.
    private CodePointSet Lower(int first, int last)
    {
        var ranges = new List<(int, int)>();
        if (first <= 9) ranges.Add(('0' + first, '0' + Math.Min(last, 9)));
        if (last >= 10)
        {
            ranges.Add(('a' + Math.Max(first, 10) - 10, 'a' + last - 10));
            if (all) ranges.Add(('A' + Math.Max(first, 10) - 10, 'A' + last - 10));
        }
        return CodePointSet.Of([.. ranges]);
    }
}
