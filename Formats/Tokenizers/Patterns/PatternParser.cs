using System.Globalization;
using System.Text;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>
/// Reads regular expressions in Oniguruma's Ruby syntax, which is what a tokenizer.json holds. What is not known exactly is refused, never guessed:
/// a pattern read wrongly would split text wrongly in silence.
/// </summary>
internal sealed class PatternParser
{
    private const int DepthLimit = 100;
    private readonly int[] pattern;
    private int at;
    private int literal;        // the single character that Atom read last, or -1
    private bool ignoreCase;
    private bool dotMatchesNewline;
    private int depth;

    private PatternParser(string pattern) => this.pattern = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];

    /// <exception cref="FormatException">The pattern is malformed, or holds something this engine does not have; the message says what.</exception>
    public static PatternNode Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        var node = parser.Alternation();
        if (parser.at < parser.pattern.Length) throw new FormatException("it closes a group that it never opened");
        return node;
    }

    private int Next => at < pattern.Length ? pattern[at] : -1;

    private PatternNode Alternation()
    {
        if (++depth > DepthLimit) throw new FormatException($"its groups are nested more than {DepthLimit} deep");
        var choices = new List<PatternNode> { Sequence() };
        while (Take('|')) choices.Add(Sequence());
        depth--;
        return choices.Count == 1 ? choices[0] : new AlternationNode(choices);
    }

    private PatternNode Sequence()
    {
        var items = new List<PatternNode>();
        var literals = new List<int>();
        while (at < pattern.Length && Next is not ('|' or ')'))
        {
            literal = -1;
            var item = Atom();
            var quantified = Quantified(item);
            items.Add(quantified);
            literals.Add(ignoreCase && ReferenceEquals(item, quantified) ? literal : -1);
        }
        return CaseFolder.Join(items, literals);
    }

    private PatternNode Quantified(PatternNode item)
    {
        while (true)
        {
            var start = at;
            int min, max;
            var interval = false;
            if (Take('?')) (min, max) = (0, 1);
            else if (Take('*')) (min, max) = (0, RepeatNode.Unbounded);
            else if (Take('+')) (min, max) = (1, RepeatNode.Unbounded);
            else if (Next == '{' && Interval(out min, out max)) interval = true;
            else return item;
            if (item is AnchorNode or LookNode) throw new FormatException($"it repeats something without width at position {start}");
            var greed = Greed.Greedy;
            // {n,m}+ is a repeat of a repeat in this syntax, and {n}? an optional one.
            if (Next == '?' && !(interval && min == max)) { at++; greed = Greed.Lazy; }
            else if (Next == '+' && !interval) { at++; greed = Greed.Possessive; }
            item = Repeat(item, min, max, greed);
        }
    }

    private static PatternNode Repeat(PatternNode item, int min, int max, Greed greed)
    {
        if (max == RepeatNode.Unbounded && item.First.Nullable) throw new FormatException("it repeats without limit something that can be empty");
        // (x{1,n})+ finds exactly what x+ finds, in the same order, and x+ is one instruction.
        if (item is RepeatNode { Min: 1, Greed: Greed.Greedy, Body: SetNode } inner && max == RepeatNode.Unbounded && greed != Greed.Lazy && min <= 1)
            return new RepeatNode(inner.Body, min, max, greed);
        return new RepeatNode(item, min, max, greed);
    }

    private bool Interval(out int min, out int max)
    {
        var start = at++;
        var low = Number();
        min = low ?? 0;
        max = min;
        if (Take(',')) max = Number() is { } high ? high : low is null ? -1 : RepeatNode.Unbounded;
        else if (low is null) max = -1;
        if (max == -1 || !Take('}')) { at = start; return LiteralBrace(out min, out max); }
        if (max < min) throw new FormatException($"the repeat at position {start} asks for at least {min} and at most {max}");
        if (min > 1000 || max is > 1000 and not RepeatNode.Unbounded) throw new FormatException($"the repeat at position {start} is above 1000");
        return true;
    }

    // A brace that starts no repeat is an ordinary character; it is read by Atom the next time round.
    private static bool LiteralBrace(out int min, out int max)
    {
        (min, max) = (0, 0);
        return false;
    }

    private int? Number()
    {
        var start = at;
        var value = 0;
        while (Next is >= '0' and <= '9' && at - start < 6) value = value * 10 + (pattern[at++] - '0');
        return at == start ? null : value;
    }

    private PatternNode Atom()
    {
        var c = pattern[at++];
        switch (c)
        {
            case '(': return Group();
            case '[': return new SetNode(new ClassParser(this).Parse());
            case '.': return new SetNode(dotMatchesNewline ? CodePointSet.All : CodePointSet.Of('\n').Complement());
            case '^': return new AnchorNode(Anchor.LineStart);
            case '$': return new AnchorNode(Anchor.LineEnd);
            case '\\': return Escape();
            case '*' or '+' or '?': throw new FormatException($"nothing stands before the repeat at position {at - 1}");
            default: return Literal(c);
        }
    }

    private PatternNode Group()
    {
        if (!Take('?')) return Close(Alternation());
        if (Take(':')) return Close(Alternation());
        if (Take('>')) return Close(new AtomicNode(Alternation()));
        if (Take('=')) return Close(new LookNode(Alternation(), LookNode.Ahead, false));
        if (Take('!')) return Close(new LookNode(Alternation(), LookNode.Ahead, true));
        if (Take('<'))
        {
            if (Take('=')) return Close(Behind(Alternation(), false));
            if (Take('!')) return Close(Behind(Alternation(), true));
            throw new FormatException("named groups are not supported");
        }
        return Options();
    }

    private PatternNode Options()
    {
        var (caseBefore, dotBefore) = (ignoreCase, dotMatchesNewline);
        var on = true;
        while (Next is not (')' or ':'))
        {
            switch (Next)
            {
                case '-': on = false; break;
                case 'i': ignoreCase = on; break;
                case 'm': dotMatchesNewline = on; break;
                default: throw new FormatException($"the group at position {at} is of a kind that is not supported");
            }
            at++;
        }
        PatternNode node;
        if (Take(':')) node = Close(Alternation());
        else
        {
            at++;
            // Options without a body hold for the rest of the group they stand in, its other alternatives included.
            node = Alternation();
        }
        (ignoreCase, dotMatchesNewline) = (caseBefore, dotBefore);
        return node;
    }

    private PatternNode Close(PatternNode node) => Take(')') ? node : throw new FormatException("it opens a group that it never closes");

    private static LookNode Behind(PatternNode body, bool negative) =>
        new(body, Length(body) ?? throw new FormatException("it looks behind for something of no fixed length"), negative);

    private static int? Length(PatternNode node) => node switch
    {
        SetNode => 1,
        SequenceNode sequence => sequence.Items.Aggregate((int?)0, (sum, item) => sum + Length(item)),
        AlternationNode choice => choice.Choices.Select(Length).Distinct().ToList() is [var only] ? only : null,
        RepeatNode { Min: var min, Max: var max } repeat when min == max => Length(repeat.Body) * min,
        AtomicNode atomic => Length(atomic.Body),
        LookNode or AnchorNode => 0,
        _ => null,
    };

    private PatternNode Escape()
    {
        switch (Next)
        {
            case 'A': at++; return new AnchorNode(Anchor.TextStart);
            case 'z': at++; return new AnchorNode(Anchor.TextEnd);
            case 'Z': at++; return new AnchorNode(Anchor.TextEndOrLastNewline);
            case 'b': at++; return new AnchorNode(Anchor.WordBoundary);
            case 'B': at++; return new AnchorNode(Anchor.NoWordBoundary);
        }
        return ClassEscape() is { } set ? new SetNode(set) : Literal(CharacterEscape());
    }

    private PatternNode Literal(int c)
    {
        var node = ignoreCase ? CaseFolder.Literal(c) : new SetNode(CodePointSet.Of(c));
        literal = c;
        return node;
    }

    /// <summary>After a backslash: a class such as <c>\s</c> or <c>\p{L}</c>, or null where a single character follows.</summary>
    internal CodePointSet? ClassEscape()
    {
        var set = Next switch
        {
            's' => UnicodeClasses.Space,
            'S' => UnicodeClasses.Space.Complement(),
            'd' => UnicodeClasses.Digit,
            'D' => UnicodeClasses.Digit.Complement(),
            'w' => UnicodeClasses.Word,
            'W' => UnicodeClasses.Word.Complement(),
            'h' => CodePointSet.Of(('0', '9'), ('a', 'f'), ('A', 'F')),
            'H' => CodePointSet.Of(('0', '9'), ('a', 'f'), ('A', 'F')).Complement(),
            'p' or 'P' => null,
            _ => CodePointSet.Empty,
        };
        if (set is { IsEmpty: true }) return null;
        var negative = pattern[at++] == 'P';
        if (set is not null) return set;
        if (!Take('{')) throw new FormatException($"\\p at position {at} is not followed by a name in braces");
        if (Take('^')) negative = !negative;
        var name = new StringBuilder();
        while (Next is not ('}' or -1)) name.Append(char.ConvertFromUtf32(pattern[at++]));
        if (!Take('}')) throw new FormatException("it ends in the middle of \\p{");
        if (ignoreCase) throw new FormatException($"\\p{{{name}}} without regard to case is not supported");
        set = UnicodeClasses.Find(name.ToString()) ?? throw new FormatException($"the class \\p{{{name}}} is not supported");
        return negative ? set.Complement() : set;
    }

    /// <summary>After a backslash: one character.</summary>
    internal int CharacterEscape()
    {
        var c = Next;
        at++;
        switch (c)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'r': return '\r';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case 'e': return 0x1B;
            case 'u': return Hex(4, 4);
            case 'x' when Take('{'):
                var code = Hex(1, 8);
                return Take('}') ? code : throw new FormatException("it ends in the middle of \\x{");
            case 'x':
                var low = Hex(1, 2);
                return low < 0x80 ? low : throw new FormatException("\\x with a byte above 7F is not supported");
            case -1: throw new FormatException("it ends with a backslash");
            case >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9': throw new FormatException($"the escape \\{(char)c} is not supported");
            default: return c;
        }
    }

    private int Hex(int least, int most)
    {
        var start = at;
        var value = 0L;
        while (at - start < most && at < pattern.Length && pattern[at] < 0x80 && char.IsAsciiHexDigit((char)pattern[at]))
            value = value * 16 + int.Parse(((char)pattern[at++]).ToString(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (at - start < least || !Rune.IsValid((int)Math.Min(value, int.MaxValue)))
            throw new FormatException($"the number at position {start} is no code point");
        return (int)value;
    }

    private bool Take(int c)
    {
        if (Next != c) return false;
        at++;
        return true;
    }

    /// <summary>
    /// Reads what stands between brackets: ranges, escapes, classes within classes, and <c>&amp;&amp;</c> for what two have in common.
    /// </summary>
    private sealed class ClassParser(PatternParser outer)
    {
        public CodePointSet Parse()
        {
            if (++outer.depth > DepthLimit) throw new FormatException($"its classes are nested more than {DepthLimit} deep");
            var negative = outer.Take('^');
            if (outer.Next == ']') throw new FormatException($"the class at position {outer.at} is empty or starts with ']'");
            CodePointSet? common = null;
            var ranges = new List<(int, int)>();
            while (!outer.Take(']'))
            {
                if (outer.Next == -1) throw new FormatException("it ends in the middle of a class");
                if (outer.Next == '&' && outer.at + 1 < outer.pattern.Length && outer.pattern[outer.at + 1] == '&')
                {
                    outer.at += 2;
                    common = Meet(common, ranges);
                    ranges = [];
                }
                else Item(ranges);
            }
            outer.depth--;
            var set = Meet(common, ranges);
            if (outer.ignoreCase) set = CaseFolder.Class(set, negative);
            return negative ? set.Complement() : set;
        }

        private static CodePointSet Meet(CodePointSet? common, List<(int, int)> ranges)
        {
            var set = CodePointSet.Of(ranges);
            return common is null ? set : common.Intersect(set);
        }

        private void Item(List<(int, int)> ranges)
        {
            if (Element(ranges) is not { } first) return;
            // A minus before the closing bracket is a minus.
            if (outer.Next != '-' || outer.at + 1 >= outer.pattern.Length || outer.pattern[outer.at + 1] == ']')
            {
                ranges.Add((first, first));
                return;
            }
            outer.at++;
            var before = ranges.Count;
            if (Element(ranges) is not { } last || ranges.Count != before || last < first)
                throw new FormatException($"the range that ends at position {outer.at} has no end, or one before its start");
            ranges.Add((first, last));
        }

        // One character, or null where a whole class was added.
        private int? Element(List<(int, int)> ranges)
        {
            var c = outer.pattern[outer.at++];
            if (c == '[')
            {
                if (outer.Next == ':') throw new FormatException("POSIX classes are not supported");
                ranges.AddRange(Parse().Ranges.ToArray());
                return null;
            }
            if (c != '\\') return c;
            if (outer.Next == 'b') { outer.at++; return '\b'; }
            if (outer.ClassEscape() is not { } set) return outer.CharacterEscape();
            ranges.AddRange(set.Ranges.ToArray());
            return null;
        }
    }
}
