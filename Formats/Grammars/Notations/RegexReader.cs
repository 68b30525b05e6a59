using System.Text;

namespace Quilt.Formats.Grammars.Notations;

/// <summary>
/// Regular expressions, without what is not regular or depends on its surroundings: backreferences, look-around, word boundaries, possessive
/// repeats, flags, anchors in the middle and recursion are refused. Lazy repeats take the same texts as greedy ones.
/// </summary>
internal sealed class RegexReader
{
    private const int MaxLength = 200_000;
    private const int MaxDepth = 250;
    private const int MaxCount = 1_000_000_000;
    private static readonly GrammarNode AnyText = new Repeat(new CodePoint(CodePointSet.Any), 0, null);
    private readonly NotationText text;
    private readonly bool ascii;
    private bool hasAnchors;

    private RegexReader(NotationText text, bool ascii)
    {
        this.text = text;
        this.ascii = ascii;
    }

    /// <summary>Reads a pattern.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="search">Whether it is looked for in a text (JSON schema's pattern) instead of being the whole text.</param>
    /// <param name="ascii">Whether <c>\d</c>, <c>\w</c> and <c>\s</c> are ASCII only.</param>
    /// <param name="source">What the pattern is, for messages.</param>
    /// <exception cref="BadInputException">It is malformed, not supported or too large.</exception>
    public static GrammarNode Read(string pattern, bool search = false, bool ascii = false, string source = "regex")
    {
        var text = new NotationText(source, pattern, MaxLength);
        var reader = new RegexReader(text, ascii);
        var node = reader.ReadChoice(0);
        if (!text.IsAtEnd) throw text.Bad("')' without '('");
        node = Ends(node, first: true, search ? AnyText : null);
        node = Ends(node, first: false, search ? AnyText : null);
        if (reader.hasAnchors && HasAnchor(node))
            throw new BadInputException(source, null, "an anchor in the middle of the pattern is not supported");
        return node;
    }

    private GrammarNode ReadChoice(int depth)
    {
        if (depth > MaxDepth) throw text.Bad($"groups are nested deeper than {MaxDepth}");
        var choices = new List<GrammarNode>();
        do choices.Add(ReadSequence(depth));
        while (text.TryTake("|"));
        return choices.Count == 1 ? choices[0] : new Choice([.. choices]);
    }

    private GrammarNode ReadSequence(int depth)
    {
        var items = new List<GrammarNode>();
        var bytes = new List<byte>();
        while (text.Next is not (-1 or '|' or ')'))
        {
            var start = text.At;
            var node = ReadAtom(depth, out var codePoint);
            var repeated = ReadRepeat(node, start);
            if (codePoint >= 0 && ReferenceEquals(repeated, node))
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(new Rune(codePoint).ToString()));
                continue;
            }
            FlushLiteral();
            items.Add(repeated);
        }
        FlushLiteral();
        return items.Count == 1 ? items[0] : new Sequence([.. items]);

        void FlushLiteral()
        {
            if (bytes.Count > 0) items.Add(new Literal([.. bytes]));
            bytes.Clear();
        }
    }

    private GrammarNode ReadAtom(int depth, out int codePoint)
    {
        codePoint = -1;
        var start = text.At;
        var c = text.Take();
        switch (c)
        {
            case '(': return ReadGroup(depth, start);
            case '[': return new CodePoint(ReadClass(start));
            case '.': return new CodePoint(RegexClasses.Dot);
            case '^': return Anchor(first: true);
            case '$': return Anchor(first: false);
            case '*' or '+' or '?': throw text.Bad("nothing to repeat", start);
            case '{' or '}': throw text.Bad("a brace that is no repeat must be written with a backslash", start);
            case '\\' when text.Next == 'A': text.At++; return Anchor(first: true);
            case '\\' when text.Next is 'z' or 'Z': text.At++; return Anchor(first: false);
            case '\\':
                var set = RegexEscapes.Read(text, ascii, inClass: false, out codePoint);
                return new CodePoint(set);
        }
        codePoint = c;
        return new CodePoint(CodePointSet.Of(c));
    }

    private AnchorNode Anchor(bool first)
    {
        hasAnchors = true;
        return new AnchorNode(first);
    }

    private GrammarNode ReadGroup(int depth, int start)
    {
        if (text.TryTake("?"))
        {
            if (text.Next is '=' or '!' || text.Next == '<' && text.Peek(1) is '=' or '!') throw text.Bad("look-around is not supported", start);
            if (text.TryTake("P<") || text.TryTake("<"))
            {
                while (text.Next is >= 0 and not '>' and not ')') text.At++;
                if (!text.TryTake(">")) throw text.Bad("'>' is expected behind the group's name");
            }
            else if (!text.TryTake(":")) throw text.Bad("flags, comments and special groups are not supported", start);
        }
        var node = ReadChoice(depth + 1);
        if (!text.TryTake(")")) throw text.Bad("the group is not closed", start);
        return node;
    }

    private GrammarNode ReadRepeat(GrammarNode node, int start)
    {
        int least;
        int? most = null;
        switch (text.Next)
        {
            case '*': least = 0; text.At++; break;
            case '+': least = 1; text.At++; break;
            case '?': (least, most) = (0, 1); text.At++; break;
            case '{':
                text.At++;
                least = text.TakeNumber(MaxCount);
                most = least;
                if (text.TryTake(",")) most = text.Next == '}' ? null : text.TakeNumber(MaxCount);
                if (!text.TryTake("}")) throw text.Bad("'}' is expected");
                if (most < least) throw text.Bad($"the repeat's bounds are reversed: {least} is above {most}");
                break;
            default: return node;
        }
        if (node is AnchorNode) throw text.Bad("an anchor cannot be repeated", start);
        if (text.Next == '+') throw text.Bad("possessive repeats are not supported");
        text.TryTake("?");
        if (text.Next is '*' or '+' or '?' or '{') throw text.Bad("a repeat of a repeat needs a group");
        return new Repeat(node, least, most);
    }

    private CodePointSet ReadClass(int start)
    {
        var negative = text.TryTake("^");
        var ranges = new List<(int First, int Last)>();
        var first = true;
        while (true)
        {
            if (text.IsAtEnd) throw text.Bad("the class is not closed", start);
            if (text.Next == ']')
            {
                if (first) throw text.Bad("a class is empty, or begins with ']' without a backslash", start);
                text.At++;
                break;
            }
            first = false;
            if (text.Next == '&' && text.Peek(1) == '&') throw text.Bad("intersections of classes are not supported");
            var from = text.At;
            var set = ReadMember(out var low);
            if (text.Next == '-' && text.Peek(1) is not (']' or -1))
            {
                text.At++;
                ReadMember(out var high);
                if (low < 0 || high < 0) throw text.Bad("a range needs a character at both ends", from);
                if (low > high) throw text.Bad("a range is reversed", from);
                ranges.Add((low, high));
            }
            else ranges.AddRange(set.Ranges);
        }
        var all = CodePointSet.Of([.. ranges]);
        return negative ? all.Complement() : all;
    }

    private CodePointSet ReadMember(out int codePoint)
    {
        var start = text.At;
        var c = text.Take();
        codePoint = -1;
        if (c == '\\') return RegexEscapes.Read(text, ascii, inClass: true, out codePoint);
        if (c == '[' && text.Next == ':')
        {
            while (text.Next is not (']' or -1)) text.At++;
            var name = text.Slice(start + 2, Math.Max(start + 2, text.At - 1));
            if (text.Peek(-1) == ':' && text.TryTake("]") && RegexClasses.Posix(name) is { } set) return set;
            throw text.Bad("this POSIX class is not known", start);
        }
        codePoint = c;
        return CodePointSet.Of(c);
    }

    // Takes the anchors at one end away; where there is none, and a filling is given, puts that there.
    private static GrammarNode Ends(GrammarNode node, bool first, GrammarNode? filling)
    {
        switch (node)
        {
            case AnchorNode anchor when anchor.First == first:
                return GrammarNode.Nothing;
            case Choice choice when HasAnchor(choice):
                return new Choice([.. choice.Items.Select(item => Ends(item, first, filling))]);
            case Sequence { Items.IsEmpty: false } sequence when sequence.Items[first ? 0 : ^1] is AnchorNode or Choice && HasAnchor(sequence):
                var items = sequence.Items;
                var at = first ? 0 : items.Length - 1;
                if (items[at] is AnchorNode outer && outer.First == first)
                {
                    // One anchor is as good as several.
                    var rest = items.RemoveAt(at);
                    return Ends(new Sequence(rest), first, filling: null);
                }
                if (!HasAnchor(items[at])) break;
                return new Sequence(items.SetItem(at, Ends(items[at], first, filling)));
        }
        if (filling is null) return node;
        var whole = node is Sequence many ? many.Items : [node];
        return new Sequence(first ? whole.Insert(0, filling) : whole.Add(filling));
    }

    private static bool HasAnchor(GrammarNode node) => node switch
    {
        AnchorNode => true,
        Sequence sequence => sequence.Items.Any(HasAnchor),
        Choice choice => choice.Items.Any(HasAnchor),
        Repeat repeat => HasAnchor(repeat.Item),
        _ => false,
    };

    /// <summary>The start or end of the text; never leaves the reader.</summary>
    private sealed record AnchorNode(bool First) : GrammarNode;
}
