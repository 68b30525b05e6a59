namespace Quilt.Formats.Chat.Jinja;

// What stands behind a value: attributes, subscripts, calls, filters and tests.
internal sealed partial class ExpressionParser
{
    /// <summary>Filters behind a value, or at the start of a filter block, where there is none.</summary>
    public Expression? ParseFilters(Expression? input, bool startInline)
    {
        var count = 0;
        while (tokens.Current.Is("|") || startInline)
        {
            if (++count > MaxChain) throw tokens.Error($"more than {MaxChain} filters in a row");
            if (!startInline) tokens.Next();
            startInline = false;
            var line = tokens.Current.Line;
            var name = DottedName();
            var filter = Filters.Find(name);
            if (filter is null) Unknown.Add(line, $"No filter named '{name}'.");
            input = new Filter(input, name, filter, tokens.Current.Is("(") ? ParseArguments() : CallArguments.None);
        }
        return input;
    }

    public CallArguments ParseArguments()
    {
        tokens.Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? star = null, starStar = null;
        var needComma = false;
        while (!tokens.Current.Is(")"))
        {
            if (needComma)
            {
                tokens.Expect(",");
                if (tokens.Current.Is(")")) break;
            }
            if (tokens.Current.Is("*") && star is null && starStar is null)
            {
                tokens.Next();
                star = Condition();
            }
            else if (tokens.Current.Is("**") && starStar is null)
            {
                tokens.Next();
                starStar = Condition();
            }
            else if (starStar is null && tokens.Current.Kind == TokenKind.Name && tokens.Ahead.Is("="))
            {
                var name = tokens.Next().Text;
                tokens.Next();
                if (named.Any(one => one.Item1 == name)) throw tokens.Error($"keyword argument repeated: {name}");
                named.Add((name, Condition()));
            }
            else if (named.Count > 0 || star is not null || starStar is not null) throw tokens.Error("invalid syntax for function call expression");
            else positional.Add(Condition());
            needComma = true;
        }
        tokens.Expect(")");
        return new CallArguments(positional, named, star, starStar);
    }

    /// <summary>A value with attributes, subscripts and calls, without operators.</summary>
    public Expression ParsePostfix() => Signed(withFilter: false);

    private Expression Postfix(Expression value)
    {
        for (var count = 0; ; count++)
        {
            if (count > MaxChain) throw tokens.Error($"more than {MaxChain} attributes or calls in a row");
            if (tokens.Skip("."))
            {
                if (tokens.Current.Kind == TokenKind.Name) value = new Member(value, tokens.Next().Text);
                else if (tokens.Current.Kind == TokenKind.Integer) value = new Subscript(value, new Constant(Integer(tokens.Next())));
                else throw tokens.Error("expected name or number");
            }
            else if (tokens.Current.Is("[")) value = ParseSubscript(value);
            else if (tokens.Current.Is("(")) value = ParseCall(value);
            else return value;
        }
    }

    private Call ParseCall(Expression target)
    {
        tokens.Enter();
        var arguments = ParseArguments();
        tokens.Leave();
        return new Call(target, arguments);
    }

    private Expression ParseSubscript(Expression target)
    {
        tokens.Expect("[");
        tokens.Enter();
        Expression? start = null, stop = null, step = null;
        var isSlice = false;
        if (!tokens.Current.Is(":")) start = ParseIndexTuple();
        if (tokens.Skip(":"))
        {
            isSlice = true;
            if (!tokens.Current.Is(":") && !tokens.Current.Is("]")) stop = Condition();
            if (tokens.Skip(":") && !tokens.Current.Is("]")) step = Condition();
        }
        tokens.Leave();
        tokens.Expect("]");
        return isSlice ? new Slice(target, start, stop, step) : new Subscript(target, start!);
    }

    private Expression ParseIndexTuple()
    {
        var first = Condition();
        if (!tokens.Current.Is(",")) return first;
        var items = new List<Expression> { first };
        while (tokens.Skip(",")) items.Add(Condition());
        return new ListOf(items, isTuple: true);
    }

    private Expression FiltersAndTests(Expression value)
    {
        for (var count = 0; ; count++)
        {
            if (count > MaxChain) throw tokens.Error($"more than {MaxChain} filters or tests in a row");
            if (tokens.Current.Is("|")) value = ParseFilters(value, startInline: false)!;
            else if (tokens.Current.IsName("is")) value = ParseTest(value);
            else if (tokens.Current.Is("(")) value = ParseCall(value);
            else return value;
        }
    }

    private Test ParseTest(Expression value)
    {
        tokens.Next();
        var negated = tokens.SkipName("not");
        var line = tokens.Current.Line;
        var name = DottedName();
        var test = Predicates.Find(name);
        if (test is null) Unknown.Add(line, $"No test named '{name}'.");
        var arguments = CallArguments.None;
        if (tokens.Current.Is("(")) arguments = ParseArguments();
        else if (tokens.Current is { Kind: TokenKind.Text or TokenKind.Integer or TokenKind.Float } or { Kind: TokenKind.Operator, Text: "[" or "{" }
            || (tokens.Current.Kind == TokenKind.Name && tokens.Current.Text is not ("else" or "or" or "and" or "if" or "in" or "not")))
        {
            if (tokens.Current.IsName("is")) throw tokens.Error("You cannot chain multiple tests with is");
            arguments = new CallArguments([Postfix(Primary())], [], null, null);
        }
        return new Test(value, name, test, arguments, negated);
    }

    private string DottedName()
    {
        var name = tokens.ExpectName();
        while (tokens.Skip(".")) name += "." + tokens.ExpectName();
        return name;
    }
}
