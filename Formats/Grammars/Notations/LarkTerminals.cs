using System.Text;

namespace Quilt.Formats.Grammars.Notations;

/// <summary>Texts, patterns, special tokens and JSON inside of a Lark grammar.</summary>
internal sealed class LarkTerminals(NotationText text)
{
    /// <summary>A text in quotes or a pattern between slashes.</summary>
    /// <exception cref="BadInputException">It is malformed or not supported.</exception>
    public GrammarNode Read() => text.Next == '"' ? ReadQuoted() : ReadPattern();

    /// <summary>A special token between angle brackets.</summary>
    /// <exception cref="BadInputException">It is not closed.</exception>
    public SpecialToken ReadSpecial()
    {
        var at = text.At;
        while (text.Next is not ('>' or '\n' or -1)) text.At++;
        if (!text.TryTake(">")) throw text.Bad("'>' is expected", at);
        if (text.Slice(at + 1, at + 2) == "[") throw text.Bad("ranges of token ids are not supported", at);
        return new SpecialToken(text.Slice(at, text.At));
    }

    /// <summary>The text of a JSON value that comes next.</summary>
    /// <exception cref="BadInputException">It is no object or is not closed.</exception>
    public string ReadJson()
    {
        var at = text.At;
        if (text.Next != '{') throw text.Bad("a JSON schema is expected");
        var depth = 0;
        do
        {
            switch (text.Take())
            {
                case '{' or '[': depth++; break;
                case '}' or ']': depth--; break;
                case '"':
                    while (text.Take() is var c && c != '"')
                        if (c == '\\') text.Take();
                    break;
            }
        }
        while (depth > 0);
        return text.Slice(at, text.At);
    }

    private GrammarNode ReadQuoted()
    {
        var at = text.At++;
        var found = new StringBuilder();
        while (true)
        {
            if (text.Next is -1 or '\n') throw text.Bad("the text is not closed", at);
            var c = text.Take();
            if (c == '"') break;
            found.Append(new Rune(c == '\\' ? NotationEscapes.Read(text) : c).ToString());
        }
        if (!text.TryTake("i")) return new Literal([.. Encoding.UTF8.GetBytes(found.ToString())]);
        var items = new List<GrammarNode>();
        foreach (var rune in found.ToString().EnumerateRunes())
        {
            if (!rune.IsAscii) throw text.Bad("a text without regard to case may hold ASCII only", at);
            items.Add(new CodePoint(CodePointSet.Of(
                (Rune.ToLowerInvariant(rune).Value, Rune.ToLowerInvariant(rune).Value),
                (Rune.ToUpperInvariant(rune).Value, Rune.ToUpperInvariant(rune).Value))));
        }
        return new Sequence([.. items]);
    }

    private GrammarNode ReadPattern()
    {
        var at = text.At++;
        var pattern = new StringBuilder();
        while (text.Next != '/')
        {
            if (text.Next is -1 or '\n') throw text.Bad("the pattern is not closed", at);
            var c = text.Take();
            if (c == '\\' && text.Next == '/') c = text.Take();
            else if (c == '\\') pattern.Append('\\');
            pattern.Append(new Rune(c == '\\' ? text.Take() : c).ToString());
        }
        text.At++;
        if (text.Next is >= 'a' and <= 'z') throw text.Bad("flags of patterns are not supported");
        return RegexReader.Read(pattern.ToString(), source: $"grammar, pattern at position {at}");
    }
}
