using System.Text;

namespace Quilt.Formats.Grammars.Notations;

/// <summary>
/// Rules as Lark writes them: <c>name: …</c>, terminals in capitals, texts in quotes (with i: without regard to ASCII case), patterns between
/// slashes, groups, optional parts in brackets, repeats with ~, <c>%ignore</c> before any terminal of a rule, <c>%json</c> with a schema behind it.
/// The text is what <c>start</c> takes.
/// </summary>
internal sealed class LarkReader
{
    private const int MaxLength = 1_000_000;
    private const int MaxDepth = 200;
    private const int MaxCount = 1_000_000_000;
    private readonly NotationText text;
    private readonly LarkTerminals terminals;
    private readonly Func<string, GrammarRules> readSchema;
    private readonly Dictionary<string, GrammarNode> rules = new(StringComparer.Ordinal);
    private readonly List<(string Name, int At)> uses = [];
    private readonly List<GrammarNode> ignored = [];
    private int schemas;
    private bool inTerminal;

    private LarkReader(NotationText text, Func<string, GrammarRules> readSchema)
    {
        this.text = text;
        this.readSchema = readSchema;
        terminals = new LarkTerminals(text);
    }

    /// <summary>Reads a grammar.</summary>
    /// <param name="grammar">The grammar.</param>
    /// <param name="readSchema">What makes rules of a JSON schema's text.</param>
    /// <exception cref="BadInputException">It is malformed, has no rule <c>start</c> or is too large.</exception>
    public static GrammarRules Read(string grammar, Func<string, GrammarRules> readSchema)
    {
        var reader = new LarkReader(new NotationText("grammar", grammar, MaxLength), readSchema);
        reader.ReadRules();
        foreach (var (name, at) in reader.uses)
            if (!reader.rules.ContainsKey(name)) throw reader.text.Bad($"the rule '{name}' is not defined", at);
        if (!reader.rules.ContainsKey("start")) throw new BadInputException("grammar", null, "it has no rule 'start'");
        if (reader.ignored.Count == 0) return new GrammarRules(new RuleReference("start"), reader.rules);
        reader.rules[Ignored] = new Repeat(new Choice([.. reader.ignored]), 0, null);
        return new GrammarRules(new Sequence([new RuleReference("start"), new RuleReference(Ignored)]), reader.rules);
    }

    private const string Ignored = "%ignore";

    private void ReadRules()
    {
        SkipLines();
        // What is ignored counts in rules above it too.
        var at = text.At;
        while (!text.IsAtEnd)
        {
            if (text.TryTake("%ignore"))
            {
                inTerminal = true;
                ignored.Add(ReadChoice(0));
            }
            while (text.Next is not (-1 or '\n')) text.At++;
            SkipLines();
        }
        text.At = at;
        uses.Clear();
        while (!text.IsAtEnd)
        {
            ReadStatement();
            SkipLines();
        }
    }

    private void ReadStatement()
    {
        var at = text.At;
        if (text.TryTake("%llguidance"))
        {
            while (text.Next is not (-1 or '\n')) text.At++;
            return;
        }
        if (text.TryTake("%ignore"))
        {
            inTerminal = true;
            ReadChoice(0);
            return;
        }
        if (text.Next == '%') throw text.Bad("this directive is not supported");
        while (text.Next is '?' or '!') text.At++;
        var name = ReadName();
        inTerminal = IsTerminal(name);
        Skip();
        if (text.Next == '.' || text.Next == '{') throw text.Bad("priorities and templates are not supported");
        if (!text.TryTake(":")) throw text.Bad("':' is expected");
        var body = ReadChoice(0);
        if (!rules.TryAdd(name, inTerminal ? Lead(body) : body)) throw text.Bad($"the rule '{name}' is defined twice", at);
        // A terminal inside of a terminal has nothing ignored before it.
        if (inTerminal) rules[$"{name}%"] = body;
        if (text.Next is not (-1 or '\n')) throw text.Bad("the end of the line is expected");
    }

    private GrammarNode Lead(GrammarNode terminal) =>
        ignored.Count == 0 ? terminal : new Sequence([new RuleReference(Ignored), terminal]);

    private static bool IsTerminal(string name) => name.TrimStart('_') is { Length: > 0 } bare && char.IsAsciiLetterUpper(bare[0]);

    private GrammarNode ReadChoice(int depth)
    {
        if (depth > MaxDepth) throw text.Bad($"groups are nested deeper than {MaxDepth}");
        var choices = new List<GrammarNode>();
        do
        {
            choices.Add(ReadSequence(depth));
            SkipToAlternative();
        }
        while (text.TryTake("|"));
        return choices.Count == 1 ? choices[0] : new Choice([.. choices]);
    }

    private GrammarNode ReadSequence(int depth)
    {
        var items = new List<GrammarNode>();
        while (true)
        {
            Skip();
            if (text.Next is -1 or '\n' or '|' or ')' or ']') break;
            if (text.TryTake("->"))
            {
                Skip();
                ReadName();
                continue;
            }
            items.Add(ReadRepeat(ReadItem(depth)));
        }
        return items.Count == 1 ? items[0] : new Sequence([.. items]);
    }

    private GrammarNode ReadItem(int depth)
    {
        var at = text.At;
        switch (text.Next)
        {
            case '"' or '/': return Terminal(terminals.Read());
            case '(' or '[':
                var closing = text.Take() == '(' ? ")" : "]";
                var group = ReadChoice(depth + 1);
                SkipLines();
                if (!text.TryTake(closing)) throw text.Bad("the group is not closed", at);
                return closing == ")" ? group : new Repeat(group, 0, 1);
            case '<': return terminals.ReadSpecial();
            case '%' when text.TryTake("%json"): return ReadSchema();
        }
        var name = ReadName();
        uses.Add((name, at));
        return new RuleReference(inTerminal && IsTerminal(name) ? Bare(name, at) : name);
    }

    private string Bare(string name, int at)
    {
        uses.Add(($"{name}%", at));
        return $"{name}%";
    }

    private GrammarNode Terminal(GrammarNode node) => inTerminal ? node : Lead(node);

    private GrammarNode ReadRepeat(GrammarNode item)
    {
        while (true)
        {
            switch (text.Next)
            {
                case '*': item = new Repeat(item, 0, null); break;
                case '+': item = new Repeat(item, 1, null); break;
                case '?': item = new Repeat(item, 0, 1); break;
                case '~' or '{':
                    item = ReadBounds(item);
                    continue;
                default: return item;
            }
            text.At++;
        }
    }

    private Repeat ReadBounds(GrammarNode item)
    {
        var at = text.At;
        var braces = text.Take() == '{';
        Skip();
        var least = braces && text.Next == ',' ? 0 : text.TakeNumber(MaxCount);
        int? most = least;
        if (braces ? text.TryTake(",") : text.TryTake("..")) most = braces && text.Next == '}' ? null : text.TakeNumber(MaxCount);
        if (braces && !text.TryTake("}")) throw text.Bad("'}' is expected");
        if (most < least) throw text.Bad($"the repeat's bounds are reversed: {least} is above {most}", at);
        return new Repeat(item, least, most);
    }

    // The schema's rules get names of their own.
    private GrammarNode ReadSchema()
    {
        Skip();
        var schema = readSchema(terminals.ReadJson());
        var prefix = $"%json{schemas++}.";
        var renamed = new RenamedRules(prefix);
        foreach (var (name, body) in schema.Rules) rules.Add(prefix + name, renamed.Of(body));
        return renamed.Of(schema.Root);
    }

    private string ReadName()
    {
        var from = text.At;
        while (text.Next is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9' or '_' or '-' && text.Peek(1) != '>') text.At++;
        if (text.At == from) throw text.Bad(text.IsAtEnd ? "it ends too early" : "a name, text, pattern or group is expected");
        return text.Slice(from, text.At);
    }

    private void Skip()
    {
        while (text.Next is ' ' or '\t' or '\r') text.At++;
        if (text.Next == '/' && text.Peek(1) == '/' || text.Next == '#') while (text.Next is not (-1 or '\n')) text.At++;
    }

    private void SkipLines()
    {
        Skip();
        while (text.Next == '\n')
        {
            text.At++;
            Skip();
        }
    }

    // An alternative may stand on a line of its own.
    private void SkipToAlternative()
    {
        var at = text.At;
        SkipLines();
        if (text.Next != '|') text.At = at;
    }
}
