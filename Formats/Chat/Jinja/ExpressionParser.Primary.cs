using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

// Names, literals, and what stands in brackets.
internal sealed partial class ExpressionParser
{
    private Expression Primary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Next();
                if (token.Text is "caller" or "varargs" or "kwargs")
                    Uses |= token.Text == "caller" ? MacroUse.Caller : token.Text == "varargs" ? MacroUse.Positional : MacroUse.Named;
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
                throw tokens.Error($"unexpected '{token.Describe()}'");
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
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (object)number
            : BigInteger.Parse(text, CultureInfo.InvariantCulture);
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
}
