using System.Numerics;

namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// Numbers as JSON writes them. Whole numbers have no point and no exponent, and -0 is none; numbers within bounds, and multiples, have no exponent.
/// </summary>
internal static class NumberNodes
{
    private static readonly GrammarNode Minus = Nodes.Text("-");
    private static readonly GrammarNode Sign = Nodes.Optional(Minus);
    private static readonly GrammarNode Zero = Nodes.Text("0");

    private static readonly GrammarNode Exponent = Nodes.Optional(
        Nodes.InOrder(Nodes.AnyOf("eE"), Nodes.Optional(Nodes.AnyOf("+-")), new Repeat(Nodes.Digit, 1, null)));

    // Not whole, whatever stands before the point.
    private static readonly GrammarNode Broken = Nodes.InOrder(Sign, DigitNodes.Natural, DigitNodes.SomeFraction);

    /// <summary>Any number.</summary>
    public static GrammarNode Any { get; } = Nodes.InOrder(Sign, DigitNodes.Natural, DigitNodes.AnyFraction, Exponent);

    /// <summary>Numbers that a double holds, if perhaps rounded.</summary>
    public static GrammarNode AnyFinite { get; } = Nodes.InOrder(
        Sign,
        Nodes.OneOf(Zero, Nodes.InOrder(Nodes.Range('1', '9'), new Repeat(Nodes.Digit, 0, 99))),
        Nodes.Optional(Nodes.InOrder(Nodes.Text("."), new Repeat(Nodes.Digit, 1, 100))),
        Nodes.Optional(Nodes.InOrder(Nodes.AnyOf("eE"), Nodes.Optional(Nodes.AnyOf("+-")), new Repeat(Nodes.Digit, 1, 2))));

    /// <summary>Any whole number.</summary>
    public static GrammarNode AnyInteger { get; } = Nodes.OneOf(Zero, Nodes.InOrder(Sign, DigitNodes.Whole(1, null)));

    /// <summary>
    /// The same with so few digits that a double tells them apart, since what reads them may write them anew from one: 15, and whole numbers 100.
    /// </summary>
    public static GrammarNode OfDoubles(JsonTypes types, NumberLimits? limits, string pointer, Dictionary<string, GrammarNode> rules)
    {
        var isWhole = (types & JsonTypes.Number) == JsonTypes.Integer;
        if (limits is null && !isWhole && types.HasFlag(JsonTypes.Integer)) return AnyFinite;
        var numbers = Of(types, limits, pointer, rules);
        return isWhole && limits?.Step is not null ? numbers : Nodes.Both(numbers, new Repeat(Nodes.AnyOf("-.0123456789"), 1, isWhole ? 100 : 15));
    }

    /// <summary>Numbers within limits; <see cref="GrammarNode.Never"/> where there are none.</summary>
    /// <param name="types">Whether whole numbers, others or both are meant.</param>
    /// <param name="limits">Null: none.</param>
    /// <param name="pointer">Where the schema says so.</param>
    /// <param name="rules">Takes rules that are needed.</param>
    /// <exception cref="BadInputException">The multiples cannot be told by their digits.</exception>
    public static GrammarNode Of(JsonTypes types, NumberLimits? limits, string pointer, Dictionary<string, GrammarNode> rules)
    {
        if ((types & JsonTypes.Number) == JsonTypes.Integer) return limits is null ? AnyInteger : Integer(limits, pointer, rules);
        var isBroken = (types & JsonTypes.Number) == JsonTypes.Fraction;
        if (limits is null) return isBroken ? Broken : Any;
        var decimals = Within(limits);
        if (limits.Step is { } step)
        {
            var multiples = MultipleNodes.ByLastDigits(step, isWhole: false) ?? throw Refusal(pointer, step);
            decimals = Nodes.Both(decimals, Nodes.InOrder(Sign, multiples));
        }
        return isBroken ? Nodes.Both(decimals, Broken) : decimals;
    }

    private static GrammarNode Integer(NumberLimits limits, string pointer, Dictionary<string, GrammarNode> rules)
    {
        var (least, most) = (limits.LeastInteger, limits.MostInteger);
        if (limits.Step is not { } step) return Integers(least, most);
        var whole = MultipleNodes.WholeStep(step);
        if (whole.IsOne) return Integers(least, most);
        if (MultipleNodes.ByLastDigits(new(whole, 0), isWhole: true) is { } multiples)
            return Nodes.Both(Integers(least, most), Nodes.InOrder(Sign, multiples));
        if (least is { } low && most is { } high && MultipleNodes.Listed(whole, low, high) is { } listed) return listed;
        if (most is null && least is null or { IsZero: true } or { IsOne: true }
            && MultipleNodes.ByRemainder(whole, rules) is { } positive)
        {
            return least is null ? Nodes.OneOf(Zero, Nodes.InOrder(Sign, positive)) : least.Value.IsOne ? positive : Nodes.OneOf(Zero, positive);
        }
        throw Refusal(pointer, step);
    }

    private static GrammarNode Integers(BigInteger? least, BigInteger? most)
    {
        if (least > most) return GrammarNode.Never;
        var choices = new List<GrammarNode>();
        if (most is null || most >= 0) choices.Add(DigitNodes.Whole(BigInteger.Max(least ?? 0, 0), most));
        if (least is null || least < 0)
            choices.Add(Nodes.InOrder(Minus, DigitNodes.Whole(most is null ? 1 : BigInteger.Max(1, -most.Value), -least)));
        return Nodes.OneOf([.. choices]);
    }

    private static GrammarNode Within(NumberLimits limits)
    {
        if (limits.IsEmpty) return GrammarNode.Never;
        var choices = new List<GrammarNode>();
        if (limits.Most is not { } most || !(most.IsNegative || (most.Digits.IsZero && limits.MostIsOut)))
            choices.Add(Sizes(limits.Least, limits.LeastIsOut, limits.Most, limits.MostIsOut));
        if (limits.Least is not { } least || least.IsNegative)
        {
            choices.Add(Nodes.InOrder(Minus, Sizes(Negative(limits.Most), limits.MostIsOut, Negative(limits.Least), limits.LeastIsOut)));
        }
        return Nodes.OneOf([.. choices]);
    }

    // Without a sign: a lower bound below 0 says nothing, an upper one is not below 0.
    private static GrammarNode Sizes(JsonDecimal? least, bool leastIsOut, JsonDecimal? most, bool mostIsOut)
    {
        var parts = new List<GrammarNode>();
        if (least is { IsNegative: false } low && !(low.Digits.IsZero && !leastIsOut)) parts.Add(DigitNodes.From(low, leastIsOut));
        if (most is { } high) parts.Add(DigitNodes.UpTo(high, mostIsOut));
        return parts.Count == 0 ? Nodes.InOrder(DigitNodes.Natural, DigitNodes.AnyFraction) : Nodes.Both([.. parts]);
    }

    private static JsonDecimal? Negative(JsonDecimal? number) => number is { } known ? new(-known.Digits, known.Scale) : null;

    private static BadInputException Refusal(string pointer, JsonDecimal step) => new(JsonSchemaReader.Origin, pointer,
        $"multipleOf: expected a step whose multiples can be told by their digits, found {DigitNodes.Text(step.Digits)}e-{step.Scale}");
}
