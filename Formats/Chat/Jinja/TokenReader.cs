namespace Quilt.Formats.Chat.Jinja;

/// <summary>The tokens of a template, one after another.</summary>
internal sealed class TokenReader(TemplateSource source, List<Token> tokens)
{
    private const int MaxNesting = 100;
    private int at;
    private int nesting;

    public Token Current => tokens[at];

    public Token Ahead => tokens[Math.Min(at + 1, tokens.Count - 1)];

    public Token Next()
    {
        var token = tokens[at];
        if (at < tokens.Count - 1) at++;
        return token;
    }

    public bool Skip(string op)
    {
        if (!Current.Is(op)) return false;
        Next();
        return true;
    }

    public bool SkipName(string name)
    {
        if (!Current.IsName(name)) return false;
        Next();
        return true;
    }

    public void Expect(string op)
    {
        if (!Skip(op)) throw Error($"expected token '{op}', got '{Current.Describe()}'");
    }

    public void ExpectName(string name)
    {
        if (!SkipName(name)) throw Error($"expected token '{name}', got '{Current.Describe()}'");
    }

    public string ExpectName()
    {
        if (Current.Kind != TokenKind.Name) throw Error($"expected token 'name', got '{Current.Describe()}'");
        return Next().Text;
    }

    public void ExpectEnd(TokenKind kind)
    {
        if (Current.Kind != kind) throw Error(Current.Kind == TokenKind.End
            ? $"unexpected end of template, expected '{new Token(kind, "", 0).Describe()}'."
            : $"expected token '{new Token(kind, "", 0).Describe()}', got '{Current.Describe()}'");
        Next();
    }

    public JinjaException Error(string problem) => source.Error(Current.Line, problem);

    public JinjaException Error(int line, string problem) => source.Error(line, problem);

    /// <summary>Guards against templates nested so deep that reading them would run out of stack.</summary>
    public void Enter()
    {
        if (++nesting > MaxNesting) throw Error($"nested deeper than {MaxNesting} levels");
    }

    public void Leave() => nesting--;
}
