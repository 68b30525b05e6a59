namespace Quilt.Formats.Chat.Jinja;

/// <summary>Reads the statements of a template.</summary>
internal sealed class Parser
{
    private readonly TokenReader tokens;
    private readonly ExpressionParser expressions;
    private int loops;

    private Parser(TokenReader tokens)
    {
        this.tokens = tokens;
        expressions = new ExpressionParser(tokens);
    }

    /// <exception cref="JinjaException">The template cannot be read.</exception>
    public static Block Parse(TemplateSource source)
    {
        var parser = new Parser(new TokenReader(source, new Lexer(source).Run()));
        var block = parser.ParseBlock(out var end);
        if (end is not null) throw parser.tokens.Error($"Encountered unknown tag '{end}'.");
        return block;
    }

    /// <summary>Statements up to one of the ending tags (whose name is then current), or to the end of the template.</summary>
    private Block ParseBlock(out string? end, params string[] endings)
    {
        tokens.Enter();
        var statements = new List<Statement>();
        end = null;
        while (tokens.Current.Kind != TokenKind.End)
        {
            var token = tokens.Current;
            if (token.Kind == TokenKind.Data)
            {
                tokens.Next();
                statements.Add(new Data(token.Line, token.Text));
            }
            else if (token.Kind == TokenKind.PrintStart)
            {
                tokens.Next();
                var value = expressions.ParseTuple();
                statements.Add(new Print(token.Line, value));
                tokens.ExpectEnd(TokenKind.PrintEnd);
            }
            else
            {
                tokens.Next();
                if (tokens.Current.Kind != TokenKind.Name) throw tokens.Error(tokens.Current.Kind == TokenKind.End ? "unexpected end of template, expected 'end of statement block'." : $"tag name expected, got '{tokens.Current.Describe()}'");
                if (endings.Contains(tokens.Current.Text) || (endings.Length == 0 && IsEnding(tokens.Current.Text)))
                {
                    end = tokens.Current.Text;
                    break;
                }
                statements.Add(ParseStatement());
            }
        }
        tokens.Leave();
        return new Block(statements);
    }

    private Block ParseBody(string ending)
    {
        tokens.ExpectEnd(TokenKind.TagEnd);
        var line = tokens.Current.Line;
        var body = ParseBlock(out var end, ending);
        Close(end, ending, line);
        return body;
    }

    private void Close(string? end, string ending, int line)
    {
        if (end is null) throw tokens.Error(line, $"Unexpected end of template. Jinja was looking for the following tags: '{ending}'.");
        tokens.Next();
        if (tokens.Current.Kind == TokenKind.Name && ending is "endblock" or "endmacro") tokens.Next();
        tokens.ExpectEnd(TokenKind.TagEnd);
    }

    private static bool IsEnding(string name) => name is "else" or "elif" || name.StartsWith("end", StringComparison.Ordinal);

    private Statement ParseStatement()
    {
        var line = tokens.Current.Line;
        var name = tokens.Next().Text;
        switch (name)
        {
            case "if": return ParseIf(line);
            case "for": return ParseFor(line);
            case "set": return ParseSet(line);
            case "macro": return ParseMacro(line);
            case "call": return ParseCall(line);
            case "filter":
                var filter = (Filter)expressions.ParseFilters(null, startInline: true)!;
                return new FilterBlock(line, filter, ParseBody("endfilter"));
            case "with": return ParseWith(line);
            case "print":
                var value = expressions.ParseTuple();
                tokens.ExpectEnd(TokenKind.TagEnd);
                return new Print(line, value);
            case "break" or "continue":
                if (loops == 0) throw tokens.Error(line, $"'{name}' outside of a loop");
                tokens.ExpectEnd(TokenKind.TagEnd);
                return new Jump(line, name == "break" ? Flow.Break : Flow.Continue);
            case "generation": return new Inline(line, ParseBody("endgeneration"));
            case "autoescape":
                expressions.Parse();
                return new Inline(line, ParseBody("endautoescape"));
            case "block":
                tokens.ExpectName();
                tokens.SkipName("scoped");
                return new Inline(line, ParseBody("endblock"));
            case "extends" or "include" or "import" or "from":
                throw tokens.Error(line, $"'{name}' is not supported: a chat template stands alone");
            default: throw tokens.Error(line, $"Encountered unknown tag '{name}'.");
        }
    }

    private If ParseIf(int line)
    {
        var branches = new List<(Expression, Block)>();
        var condition = expressions.ParseTuple(withCondition: false);
        while (true)
        {
            tokens.ExpectEnd(TokenKind.TagEnd);
            var body = ParseBlock(out var end, "elif", "else", "endif");
            branches.Add((condition, body));
            if (end == "elif")
            {
                tokens.Next();
                condition = expressions.ParseTuple(withCondition: false);
                continue;
            }
            Block? otherwise = null;
            if (end == "else")
            {
                tokens.Next();
                otherwise = ParseBody("endif");
            }
            else Close(end, "endif", line);
            return new If(line, branches, otherwise);
        }
    }

    private For ParseFor(int line)
    {
        var target = ParseTarget(withNamespace: false);
        tokens.ExpectName("in");
        var items = expressions.ParseTuple(withCondition: false);
        var filter = tokens.SkipName("if") ? expressions.Parse() : null;
        var recursive = tokens.SkipName("recursive");
        tokens.ExpectEnd(TokenKind.TagEnd);
        loops++;
        var body = ParseBlock(out var end, "else", "endfor");
        loops--;
        Block? otherwise = null;
        if (end == "else")
        {
            tokens.Next();
            otherwise = ParseBody("endfor");
        }
        else Close(end, "endfor", line);
        return new For(line, target, items, filter, recursive, body, otherwise);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(withNamespace: true);
        if (tokens.Skip("="))
        {
            var value = expressions.ParseTuple();
            tokens.ExpectEnd(TokenKind.TagEnd);
            return new Set(line, target, value);
        }
        var filter = (Filter?)expressions.ParseFilters(null, startInline: false);
        return new SetBlock(line, target, filter, ParseBody("endset"));
    }

    private Macro ParseMacro(int line)
    {
        var name = tokens.ExpectName();
        return new Macro(line, name, ParseParameters(), ParseFunctionBody("endmacro"));
    }

    private CallBlock ParseCall(int line)
    {
        var parameters = tokens.Current.Is("(") ? ParseParameters() : [];
        var target = new Name(tokens.ExpectName());
        var arguments = expressions.ParseArguments();
        return new CallBlock(line, new Call(target, arguments), target, arguments, new Macro(line, "caller", parameters, ParseFunctionBody("endcall")));
    }

    // break inside a macro does not end the loop around it.
    private Block ParseFunctionBody(string ending)
    {
        var outer = loops;
        loops = 0;
        var body = ParseBody(ending);
        loops = outer;
        return body;
    }

    private With ParseWith(int line)
    {
        var assignments = new List<(Target, Expression)>();
        while (tokens.Current.Kind != TokenKind.TagEnd)
        {
            if (assignments.Count > 0) tokens.Expect(",");
            var target = ParseTarget(withNamespace: false, single: true);
            tokens.Expect("=");
            assignments.Add((target, expressions.Parse()));
        }
        return new With(line, assignments, ParseBody("endwith"));
    }

    private List<(string, Expression?)> ParseParameters()
    {
        var parameters = new List<(string, Expression?)>();
        tokens.Expect("(");
        while (!tokens.Current.Is(")"))
        {
            if (parameters.Count > 0) tokens.Expect(",");
            var name = tokens.ExpectName();
            if (tokens.Skip("=")) parameters.Add((name, expressions.Parse()));
            else if (parameters.Count > 0 && parameters[^1].Item2 is not null) throw tokens.Error("non-default argument follows default argument");
            else parameters.Add((name, null));
        }
        tokens.Expect(")");
        return parameters;
    }

    private Target ParseTarget(bool withNamespace, bool single = false)
    {
        var parts = new List<Target>();
        var isTuple = false;
        do
        {
            if (parts.Count > 0 && (tokens.Current.IsName("in") || tokens.Current.Is("=") || tokens.Current.Is(")"))) break;
            if (tokens.Skip("("))
            {
                tokens.Enter();
                parts.Add(ParseTarget(withNamespace: false));
                tokens.Leave();
                tokens.Expect(")");
            }
            else
            {
                if (tokens.Current.Kind != TokenKind.Name || tokens.Current.Text is "true" or "false" or "none" or "True" or "False" or "None")
                    throw tokens.Error(tokens.Current.Kind is TokenKind.Integer or TokenKind.Float or TokenKind.Text or TokenKind.Name ? "can't assign to 'const'" : $"expected token 'name', got '{tokens.Current.Describe()}'");
                var name = tokens.Next().Text;
                var attribute = withNamespace && tokens.Skip(".") ? tokens.ExpectName() : null;
                parts.Add(new Target(name, attribute, null));
            }
            if (single || !tokens.Skip(",")) break;
            isTuple = true;
        }
        while (true);
        return isTuple ? new Target(null, null, parts) : parts[0];
    }
}
