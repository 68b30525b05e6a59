namespace Quilt.Formats.Chat.Jinja;

/// <summary>Reads the statements of a template.</summary>
internal sealed class Parser
{
    private readonly TokenReader tokens;
    private readonly ExpressionParser expressions;
    private readonly Stack<string> open = new();
    private readonly HashSet<string> blocks = new(StringComparer.Ordinal);
    private readonly Stack<string> openBlocks = new();
    private readonly bool escapes;
    private int loops;

    private Parser(TokenReader tokens, TemplateStyle style)
    {
        this.tokens = tokens;
        escapes = style.Escapes;
        expressions = new ExpressionParser(tokens);
    }

    /// <exception cref="JinjaException">The template cannot be read.</exception>
    public static Block Parse(TemplateSource source)
    {
        var parser = new Parser(new TokenReader(source, new Lexer(source).Run()), source.Style);
        var block = parser.ParseBlock(out _);
        parser.expressions.Unknown.Check(parser.tokens);
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
                if (tokens.Current.Kind != TokenKind.Name)
                    throw tokens.Error(tokens.Current.Kind == TokenKind.End
                        ? "unexpected end of template, expected 'end of statement block'."
                        : $"tag name expected, got '{tokens.Current.Describe()}'");
                if (endings.Contains(tokens.Current.Text))
                {
                    end = tokens.Current.Text;
                    break;
                }
                statements.Add(ParseStatement(endings));
            }
        }
        tokens.Leave();
        return new Block(statements);
    }

    private Block ParseBody(string ending)
    {
        tokens.ExpectEnd(TokenKind.TagEnd);
        var body = ParseBlock(out var end, ending);
        Close(end, ending);
        return body;
    }

    private void Close(string? end, params string[] endings)
    {
        if (end is null) throw tokens.Error($"Unexpected end of template. {LookingFor(endings)}");
        open.Pop();
        tokens.Next();
        if (end == "endmacro" && tokens.Current.Kind == TokenKind.Name) tokens.Next();
        if (end == "endblock" && tokens.Current.IsName(openBlocks.Peek())) tokens.Next();
        tokens.ExpectEnd(TokenKind.TagEnd);
    }

    private string LookingFor(string[] endings) =>
        $"Jinja was looking for the following tags: {string.Join(" or ", endings.Select(ending => $"'{ending}'"))}. The innermost block that " +
        $"needs to be closed is '{open.Peek()}'.";

    // A scope of its own: what is unknown in it is not forgiven by an if around it.
    private T InScope<T>(Func<T> parse)
    {
        var mark = expressions.Unknown.Mark;
        var statement = parse();
        expressions.Unknown.Keep(mark);
        return statement;
    }

    private Statement ParseStatement(string[] endings)
    {
        var line = tokens.Current.Line;
        var name = tokens.Next().Text;
        if (name is "if" or "for" or "set" or "macro" or "call" or "filter" or "with" or "generation" or "autoescape" or "block") open.Push(name);
        switch (name)
        {
            case "if": return ParseIf(line);
            case "for": return InScope(() => ParseFor(line));
            case "set": return ParseSet(line);
            case "macro": return InScope(() => ParseMacro(line));
            case "call": return InScope(() => ParseCall(line));
            case "filter": return InScope(() =>
                new FilterBlock(line, (Filter)expressions.ParseFilters(null, startInline: true)!, ParseBody("endfilter")));
            case "with": return InScope(() => ParseWith(line));
            case "print":
                var values = new List<Expression>();
                do values.Add(expressions.Parse());
                while (tokens.Skip(","));
                tokens.ExpectEnd(TokenKind.TagEnd);
                return new Print(line, values.Count == 1 ? values[0] : new Concat(values));
            case "break" or "continue":
                if (loops == 0) throw tokens.Error(line, name == "break" ? "'break' outside loop" : "'continue' not properly in loop");
                tokens.ExpectEnd(TokenKind.TagEnd);
                return new Jump(line, name == "break" ? Flow.Break : Flow.Continue);
            case "generation": return InScope(() => new Inline(line, ParseFunctionBody("endgeneration")));
            case "autoescape":
                if (expressions.Parse() is not Constant { Value: bool on } || on != escapes)
                    throw tokens.Error(line, $"'autoescape' is not supported: {(escapes ? "it is on" : "a prompt is not HTML")}");
                return InScope(() => new Inline(line, ParseBody("endautoescape")));
            case "block": return InScope(() => ParseNamedBlock(line));
            case "extends" or "include" or "import" or "from":
                throw tokens.Error(line, $"'{name}' is not supported: no loader for this environment specified, a chat template stands alone");
            default: throw tokens.Error(line, $"Encountered unknown tag '{name}'.{(open.Count > 0 ? " " + LookingFor(endings) : "")}");
        }
    }

    private NamedBlock ParseNamedBlock(int line)
    {
        var name = tokens.ExpectName();
        if (!blocks.Add(name)) throw tokens.Error(line, $"block '{name}' defined twice");
        openBlocks.Push(name);
        var isScoped = tokens.SkipName("scoped");
        if (tokens.Current.IsName("required")) throw tokens.Error("'required' is not supported: a chat template stands alone");
        tokens.ExpectEnd(TokenKind.TagEnd);
        var outer = loops;
        loops = 0;
        var body = ParseBlock(out var end, "endblock");
        loops = outer;
        Close(end, "endblock");
        openBlocks.Pop();
        return new NamedBlock(line, isScoped, body);
    }

    private If ParseIf(int line)
    {
        var branches = new List<(Expression, Block)>();
        var mark = expressions.Unknown.Mark;
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
            else Close(end, "elif", "else", "endif");
            expressions.Unknown.Forgive(mark);
            return new If(line, branches, otherwise);
        }
    }

    private For ParseFor(int line)
    {
        if (tokens.Current.IsName("loop")) throw tokens.Error("Can't assign to special loop variable in for-loop target");
        var target = ParseTarget(withNamespace: false);
        tokens.ExpectName("in");
        var items = expressions.ParseTuple(withCondition: false);
        var filter = tokens.SkipName("if") ? expressions.Parse() : null;
        var recursive = tokens.SkipName("recursive");
        tokens.ExpectEnd(TokenKind.TagEnd);
        loops++;
        var body = ParseBlock(out var end, "endfor", "else");
        loops--;
        Block? otherwise = null;
        if (end == "else")
        {
            tokens.Next();
            otherwise = ParseBody("endfor");
        }
        else Close(end, "endfor", "else");
        return new For(line, target, items, filter, recursive, body, otherwise);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(withNamespace: true);
        if (tokens.Skip("="))
        {
            open.Pop();
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
        return ParseFunction(line, name, "endmacro", ParseParameters());
    }

    private CallBlock ParseCall(int line)
    {
        var parameters = tokens.Current.Is("(") ? ParseParameters() : [];
        if (expressions.ParsePostfix() is not Call call) throw tokens.Error(line, "expected call");
        return new CallBlock(line, call, ParseFunction(line, "caller", "endcall", parameters));
    }

    private Macro ParseFunction(int line, string name, string ending, List<(string, Expression?)> parameters)
    {
        var outer = expressions.Uses;
        expressions.Uses = MacroUse.None;
        var body = ParseFunctionBody(ending);
        var uses = expressions.Uses;
        expressions.Uses = outer;
        return new Macro(line, name, parameters, uses, body);
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
                    throw tokens.Error(tokens.Current.Kind is TokenKind.Integer or TokenKind.Float or TokenKind.Text or TokenKind.Name
                        ? "can't assign to 'const'"
                        : $"expected token 'name', got '{tokens.Current.Describe()}'");
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
