using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Reads expressions, in Jinja's order of precedence: if-else, or, and, not, comparison, + −, ~, * / // %, **, sign, then filters and tests.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private const int MaxChain = 300;

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
            var filter = Filters.Find(name) ?? throw tokens.Error(line, $"No filter named '{name}'.");
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
            if (tokens.Skip("*")) star = Condition();
            else if (tokens.Skip("**")) starStar = Condition();
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Ahead.Is("="))
            {
                var name = tokens.Next().Text;
                tokens.Next();
                named.Add((name, Condition()));
            }
            else if (named.Count > 0 || starStar is not null) throw tokens.Error("invalid syntax for function call expression");
            else positional.Add(Condition());
            needComma = true;
        }
        tokens.Expect(")");
        return new CallArguments(positional, named, star, starStar);
    }

    private bool AtTupleEnd() => tokens.Current.Kind is TokenKind.PrintEnd or TokenKind.TagEnd || tokens.Current.Is(")") || tokens.Current.IsName("recursive");

    private Expression Condition()
    {
        tokens.Enter();
        var value = Or();
        for (var chain = 0; tokens.SkipName("if");)
        {
            if (++chain > MaxChain) throw tokens.Error("too many conditions in a row");
            var condition = Or();
            value = new Conditional(condition, value, tokens.SkipName("else") ? Condition() : null);
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
            if (tokens.Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" }) rest.Add((tokens.Next().Text, Sum()));
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

    private Expression Sum() => Chain(Joined, token => token is { Kind: TokenKind.Operator, Text: "+" or "-" }, (op, left, right) => new Binary(op, left, right));

    private Expression Joined()
    {
        var first = Product();
        if (!tokens.Current.Is("~")) return first;
        var parts = new List<Expression> { first };
        while (tokens.Skip("~")) parts.Add(Product());
        return new Concat(parts);
    }

    private Expression Product() => Chain(Power, token => token is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" }, (op, left, right) => new Binary(op, left, right));

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

    private Expression Primary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Next();
                return token.Text switch
                {
                    "true" or "True" => new Constant(true),
                    "false" or "False" => new Constant(false),
                    "none" or "None" => new Constant(null),
                    _ => new Name(token.Text),
                };
            case TokenKind.Text:
                var text = new System.Text.StringBuilder();
                while (tokens.Current.Kind == TokenKind.Text) text.Append(tokens.Next().Text);
                return new Constant(text.ToString());
            case TokenKind.Integer:
                tokens.Next();
                return new Constant(Integer(token));
            case TokenKind.Float:
                tokens.Next();
                return new Constant(double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Text == "(":
                tokens.Next();
                tokens.Enter();
                var inner = ParseTuple(explicitParentheses: true);
                tokens.Leave();
                tokens.Expect(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return ParseList();
            case TokenKind.Operator when token.Text == "{":
                return ParseDict();
            default:
                throw tokens.Error(token.Kind == TokenKind.End ? "unexpected end of template, expected 'end of print statement'."
                    : token.Kind is TokenKind.PrintEnd or TokenKind.TagEnd ? $"Expected an expression, got '{token.Describe()}'" : $"unexpected '{token.Describe()}'");
        }
    }

    private object Integer(Token token)
    {
        var text = token.Text;
        var radix = text.Length > 2 && text[0] == '0' ? char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 } : 10;
        try
        {
            if (radix != 10) return Convert.ToInt64(text[2..], radix);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            throw tokens.Error(token.Line, $"invalid number {text}");
        }
        if (text.Length > 4300) throw tokens.Error(token.Line, "Exceeds the limit (4300 digits) for integers");
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? (object)number : BigInteger.Parse(text, CultureInfo.InvariantCulture);
    }

    private ListOf ParseList()
    {
        tokens.Expect("[");
        tokens.Enter();
        var items = new List<Expression>();
        while (!tokens.Current.Is("]"))
        {
            if (items.Count > 0) tokens.Expect(",");
            if (tokens.Current.Is("]")) break;
            items.Add(Condition());
        }
        tokens.Leave();
        tokens.Expect("]");
        return new ListOf(items, isTuple: false);
    }

    private DictOf ParseDict()
    {
        tokens.Expect("{");
        tokens.Enter();
        var items = new List<(Expression, Expression)>();
        while (!tokens.Current.Is("}"))
        {
            if (items.Count > 0) tokens.Expect(",");
            if (tokens.Current.Is("}")) break;
            var key = Condition();
            tokens.Expect(":");
            items.Add((key, Condition()));
        }
        tokens.Leave();
        tokens.Expect("}");
        return new DictOf(items);
    }

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
        var test = Predicates.Find(name) ?? throw tokens.Error(line, $"No test named '{name}'.");
        var arguments = CallArguments.None;
        if (tokens.Current.Is("(")) arguments = ParseArguments();
        else if (tokens.Current is { Kind: TokenKind.Text or TokenKind.Integer or TokenKind.Float } or { Kind: TokenKind.Operator, Text: "[" or "{" }
            || (tokens.Current.Kind == TokenKind.Name && tokens.Current.Text is not ("else" or "or" or "and" or "if" or "is" or "in" or "not")))
        {
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
