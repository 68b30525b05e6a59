using System.Text;

namespace Quilt.Formats.Grammars.Notations;

/// <summary>
/// Rules as xgrammar's EBNF and llama.cpp's GBNF write them: <c>name ::= …</c>, texts in quotes, classes in brackets, groups, alternatives, repeats
/// with bounds, comments behind #. The text is what <c>root</c> takes. A look-ahead <c>(= …)</c> at the end of a rule is read and dropped: in
/// xgrammar it is a hint that changes no text.
/// </summary>
internal sealed class EbnfReader
{
    private const int MaxLength = 1_000_000;
    private const int MaxDepth = 200;
    private const int MaxCount = 1_000_000_000;
    private readonly NotationText text;
    private readonly Dictionary<string, GrammarNode> rules = new(StringComparer.Ordinal);
    private readonly List<(string Name, int At)> uses = [];

    private EbnfReader(NotationText text) => this.text = text;

    /// <summary>Reads a grammar.</summary>
    /// <exception cref="BadInputException">It is malformed, has no rule <c>root</c> or is too large.</exception>
    public static GrammarRules Read(string grammar)
    {
        var reader = new EbnfReader(new NotationText("grammar", grammar, MaxLength));
        reader.ReadRules();
        foreach (var (name, at) in reader.uses)
            if (!reader.rules.ContainsKey(name)) throw reader.text.Bad($"the rule '{name}' is not defined", at);
        if (!reader.rules.ContainsKey("root")) throw new BadInputException("grammar", null, "it has no rule 'root'");
        return new GrammarRules(new RuleReference("root"), reader.rules);
    }

    private void ReadRules()
    {
        Skip(lines: true);
        while (!text.IsAtEnd)
        {
            var at = text.At;
            var name = ReadName();
            Skip(lines: true);
            if (!text.TryTake("::=")) throw text.Bad("'::=' is expected");
            Skip(lines: true);
            var body = ReadChoice(0);
            if (!rules.TryAdd(name, body)) throw text.Bad($"the rule '{name}' is defined twice", at);
            Skip(lines: true);
        }
    }

    private GrammarNode ReadChoice(int depth)
    {
        if (depth > MaxDepth) throw text.Bad($"groups are nested deeper than {MaxDepth}");
        var choices = new List<GrammarNode>();
        do
        {
            Skip(lines: true);
            choices.Add(ReadSequence(depth));
            Skip(lines: true);
        }
        while (text.TryTake("|"));
        return choices.Count == 1 ? choices[0] : new Choice([.. choices]);
    }

    private GrammarNode ReadSequence(int depth)
    {
        var items = new List<GrammarNode>();
        while (true)
        {
            Skip(lines: true);
            if (text.Next is -1 or '|' or ')') break;
            if (text.Next == '(' && text.Peek(1) == '=')
            {
                SkipLookahead(depth);
                break;
            }
            if (StartsRule()) break;
            items.Add(ReadRepeat(ReadItem(depth)));
        }
        if (items.Count == 0 && text.Next != ')' && depth > 0) throw text.Bad("an item is expected");
        return items.Count == 1 ? items[0] : new Sequence([.. items]);
    }

    private GrammarNode ReadItem(int depth)
    {
        var at = text.At;
        switch (text.Next)
        {
            case '"': return new Literal([.. Encoding.UTF8.GetBytes(ReadText())]);
            case '[': return new CodePoint(ReadClass());
            case '.':
                text.At++;
                return new CodePoint(CodePointSet.Any);
            case '(':
                text.At++;
                var group = ReadChoice(depth + 1);
                if (!text.TryTake(")")) throw text.Bad("the group is not closed", at);
                return group;
        }
        var name = ReadName();
        uses.Add((name, at));
        return new RuleReference(name);
    }

    private GrammarNode ReadRepeat(GrammarNode item)
    {
        while (true)
        {
            switch (text.Next)
            {
                case '*': item = new Repeat(item, 0, null); break;
                case '+': item = new Repeat(item, 1, null); break;
                case '?': item = new Repeat(item, 0, 1); break;
                case '{':
                    item = ReadBounds(item);
                    continue;
                default: return item;
            }
            text.At++;
        }
    }

    private Repeat ReadBounds(GrammarNode item)
    {
        var at = text.At++;
        Skip(lines: false);
        var least = text.Next == ',' ? 0 : text.TakeNumber(MaxCount);
        int? most = least;
        Skip(lines: false);
        if (text.TryTake(","))
        {
            Skip(lines: false);
            most = text.Next == '}' ? null : text.TakeNumber(MaxCount);
            Skip(lines: false);
        }
        if (!text.TryTake("}")) throw text.Bad("'}' is expected");
        if (most < least) throw text.Bad($"the repeat's bounds are reversed: {least} is above {most}", at);
        return new Repeat(item, least, most);
    }

    private string ReadText()
    {
        var at = text.At++;
        var found = new StringBuilder();
        while (true)
        {
            if (text.Next is -1 or '\n' or '\r') throw text.Bad("the text is not closed", at);
            var c = text.Take();
            if (c == '"') return found.ToString();
            found.Append(new Rune(c == '\\' ? NotationEscapes.Read(text) : c).ToString());
        }
    }

    private CodePointSet ReadClass()
    {
        var at = text.At++;
        var negative = text.TryTake("^");
        var ranges = new List<(int, int)>();
        while (!text.TryTake("]"))
        {
            var low = ReadMember(at);
            var high = low;
            if (text.Next == '-' && text.Peek(1) is not (']' or -1))
            {
                text.At++;
                high = ReadMember(at);
            }
            if (low > high) throw text.Bad("a range is reversed");
            ranges.Add((low, high));
        }
        var set = CodePointSet.Of([.. ranges]);
        return negative ? set.Complement() : set;
    }

    private int ReadMember(int at)
    {
        if (text.Next is -1 or '\n' or '\r') throw text.Bad("the class is not closed", at);
        var c = text.Take();
        return c == '\\' ? NotationEscapes.Read(text) : c;
    }

    private string ReadName()
    {
        var from = text.At;
        while (IsNamePart(text.Next)) text.At++;
        if (text.At == from) throw text.Bad(text.IsAtEnd ? "it ends too early" : "a name, text, class or group is expected");
        return text.Slice(from, text.At);
    }

    private static bool IsNamePart(int c) => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9' or '_' or '-';

    // Whether a name with '::=' behind it comes next: the next rule.
    private bool StartsRule()
    {
        var from = text.At;
        while (IsNamePart(text.Next)) text.At++;
        var named = text.At > from;
        Skip(lines: true);
        var starts = named && text.Next == ':' && text.Peek(1) == ':';
        text.At = from;
        return starts;
    }

    private void SkipLookahead(int depth)
    {
        var at = text.At;
        if (depth > 0) throw text.Bad("a look-ahead is expected at the end of a rule only", at);
        text.At += 2;
        ReadChoice(depth + 1);
        if (!text.TryTake(")")) throw text.Bad("the look-ahead is not closed", at);
        Skip(lines: true);
        if (!text.IsAtEnd && text.Next != '|' && !StartsRule()) throw text.Bad("a look-ahead is expected at the end of a rule only", at);
    }

    private void Skip(bool lines)
    {
        while (true)
        {
            if (text.Next is ' ' or '\t' || lines && text.Next is '\n' or '\r') text.At++;
            else if (text.Next == '#') while (text.Next is not (-1 or '\n')) text.At++;
            else return;
        }
    }
}
