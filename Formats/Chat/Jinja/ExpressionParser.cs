namespace Quilt.Formats.Chat.Jinja;

/// <summary>
/// Reads expressions, in Jinja's order of precedence: if-else, or, and, not, comparison, + −, ~, * / // %, **, sign, then filters and tests.
/// </summary>
internal sealed partial class ExpressionParser(TokenReader tokens)
{
    private const int MaxChain = 300;

    /// <summary>Filters and tests it met that do not exist.</summary>
    public UnknownNames Unknown { get; } = new();

    /// <summary>Which of the special names of macros it met.</summary>
    public MacroUse Uses { get; set; }

    public Expression Parse() => Condition();

    /// <summary>One expression, or several with commas between: a tuple.</summary>
    public Expression ParseTuple(bool withCondition = true, bool explicitParentheses = false)
    {
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0) tokens.Expect(",");
            if (AtTupleEnd()) break;
            items.Add(withCondition ? Condition() : Or());
            if (tokens.Current.Is(",")) isTuple = true;
            else break;
        }
        if (isTuple) return new ListOf(items, isTuple: true);
        if (items.Count > 0) return items[0];
        return explicitParentheses ? new ListOf([], isTuple: true) : throw tokens.Error($"Expected an expression, got '{tokens.Current.Describe()}'");
    }

    private bool AtTupleEnd() =>
        tokens.Current.Kind is TokenKind.PrintEnd or TokenKind.TagEnd || tokens.Current.Is(")") || tokens.Current.IsName("recursive");

    private Expression Condition()
    {
        tokens.Enter();
        var (mark, line) = (Unknown.Mark, tokens.Current.Line);
        var value = Or();
        for (var chain = 0; tokens.SkipName("if");)
        {
            if (++chain > MaxChain) throw tokens.Error("too many conditions in a row");
            var condition = Or();
            value = new Conditional(line, condition, value, tokens.SkipName("else") ? Condition() : null);
            Unknown.Forgive(mark);
        }
        tokens.Leave();
        return value;
    }

    private Expression Or() => Chain(And, token => token.IsName("or"), (_, left, right) => new Logical(false, left, right));

    private Expression And() => Chain(Not, token => token.IsName("and"), (_, left, right) => new Logical(true, left, right));

    private Expression Not()
    {
        if (!tokens.SkipName("not")) return Compare();
        tokens.Enter();
        var value = new Unary("not", Not());
        tokens.Leave();
        return value;
    }

    private Expression Compare()
    {
        var left = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" })
                rest.Add((tokens.Next().Text, Sum()));
            else if (tokens.SkipName("in")) rest.Add(("in", Sum()));
            else if (tokens.Current.IsName("not") && tokens.Ahead.IsName("in"))
            {
                tokens.Next();
                tokens.Next();
                rest.Add(("not in", Sum()));
            }
            else break;
        }
        return rest.Count == 0 ? left : new Comparison(left, rest);
    }

    private Expression Sum() =>
        Chain(Joined, token => token is { Kind: TokenKind.Operator, Text: "+" or "-" }, (op, left, right) => new Binary(op, left, right));

    private Expression Joined()
    {
        var first = Product();
        if (!tokens.Current.Is("~")) return first;
        var parts = new List<Expression> { first };
        while (tokens.Skip("~")) parts.Add(Product());
        return new Concat(parts);
    }

    private Expression Product() =>
        Chain(Power, token => token is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" },
            (op, left, right) => new Binary(op, left, right));

    private Expression Power() => Chain(() => Signed(withFilter: true), token => token.Is("**"), (op, left, right) => new Binary(op, left, right));

    // Left to right; a chain becomes a tree as deep as it is long, so its length is bounded.
    private Expression Chain(Func<Expression> operand, Func<Token, bool> matches, Func<string, Expression, Expression, Expression> combine)
    {
        var left = operand();
        for (var count = 0; matches(tokens.Current);)
        {
            if (++count > MaxChain) throw tokens.Error($"more than {MaxChain} operators in a row");
            var op = tokens.Next().Text;
            left = combine(op, left, operand());
        }
        return left;
    }

    private Expression Signed(bool withFilter)
    {
        Expression value;
        if (tokens.Current is { Kind: TokenKind.Operator, Text: "-" or "+" })
        {
            tokens.Enter();
            value = new Unary(tokens.Next().Text, Signed(withFilter: false));
            tokens.Leave();
        }
        else
        {
            value = Primary();
        }
        value = Postfix(value);
        return withFilter ? FiltersAndTests(value) : value;
    }
}
