using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Decimal numbers without signs as regular nodes, by their size.</summary>
internal static class DigitNodes
{
    private static readonly GrammarNode AnyDigits = new Repeat(Nodes.Digit, 0, null);
    private static readonly GrammarNode Zeros = new Repeat(Nodes.Text("0"), 0, null);

    // One digit at least is no 0.
    private static readonly GrammarNode SomeDigit = Nodes.InOrder(Zeros, Nodes.Range('1', '9'), AnyDigits);

    /// <summary><c>0</c> or digits that do not begin with 0.</summary>
    public static GrammarNode Natural { get; } = Nodes.OneOf(Nodes.Text("0"), Nodes.InOrder(Nodes.Range('1', '9'), AnyDigits));

    /// <summary>A point and digits, or nothing.</summary>
    public static GrammarNode AnyFraction { get; } = Nodes.Optional(Nodes.InOrder(Nodes.Text("."), new Repeat(Nodes.Digit, 1, null)));

    /// <summary>A point and digits that are not all 0.</summary>
    public static GrammarNode SomeFraction { get; } = Nodes.InOrder(Nodes.Text("."), SomeDigit);

    /// <summary>A point and zeros, or nothing.</summary>
    public static GrammarNode NoFraction { get; } = Nodes.Optional(Nodes.InOrder(Nodes.Text("."), new Repeat(Nodes.Text("0"), 1, null)));

    /// <summary>Whole numbers from <paramref name="least"/> on, up to <paramref name="most"/> if it is given; neither is negative.</summary>
    public static GrammarNode Whole(BigInteger least, BigInteger? most)
    {
        if (most < least) return GrammarNode.Never;
        var low = Text(least);
        if (most is null) return Nodes.OneOf(SameLength(low, new string('9', low.Length)), Longer(low.Length, null));
        var high = Text(most.Value);
        if (low.Length == high.Length) return SameLength(low, high);
        var ends = Nodes.OneOf(SameLength(low, new string('9', low.Length)), SameLength("1".PadRight(high.Length, '0'), high));
        return high.Length == low.Length + 1 ? ends : Nodes.OneOf(ends, Longer(low.Length, high.Length - 2));
    }

    /// <summary>Numbers, with a fraction or without, from <paramref name="least"/> on.</summary>
    public static GrammarNode From(JsonDecimal least, bool isOut)
    {
        var (whole, fraction) = (least.Whole, least.Fraction);
        var above = Nodes.InOrder(Whole(whole + 1, null), AnyFraction);
        if (fraction.Length == 0) return Nodes.OneOf(above, Nodes.InOrder(Nodes.Text(Text(whole)), isOut ? SomeFraction : AnyFraction));
        var choices = new List<GrammarNode> { Nodes.InOrder(Nodes.Text(fraction), isOut ? SomeDigit : AnyDigits) };
        for (var i = 0; i < fraction.Length; i++)
        {
            if (fraction[i] < '9') choices.Add(Nodes.InOrder(Nodes.Text(fraction[..i]), Nodes.Range(fraction[i] + 1, '9'), AnyDigits));
        }
        return Nodes.OneOf(above, Nodes.InOrder(Nodes.Text(Text(whole) + "."), Nodes.OneOf([.. choices])));
    }

    /// <summary>Numbers, with a fraction or without, up to <paramref name="most"/>.</summary>
    public static GrammarNode UpTo(JsonDecimal most, bool isOut)
    {
        var (whole, fraction) = (most.Whole, most.Fraction);
        var below = whole.IsZero ? GrammarNode.Never : Nodes.InOrder(Whole(0, whole - 1), AnyFraction);
        var same = Nodes.Text(Text(whole));
        if (fraction.Length == 0) return isOut ? below : Nodes.OneOf(below, Nodes.InOrder(same, NoFraction));
        var choices = new List<GrammarNode>();
        if (!isOut) choices.Add(Nodes.InOrder(Nodes.Text(fraction), Zeros));
        for (var i = 0; i < fraction.Length; i++)
        {
            if (i > 0) choices.Add(Nodes.Text(fraction[..i]));
            if (fraction[i] > '0') choices.Add(Nodes.InOrder(Nodes.Text(fraction[..i]), Nodes.Range('0', fraction[i] - 1), AnyDigits));
        }
        return Nodes.OneOf(below, Nodes.InOrder(same, Nodes.Optional(Nodes.InOrder(Nodes.Text("."), Nodes.OneOf([.. choices])))));
    }

    public static string Text(BigInteger number) => number.ToString(CultureInfo.InvariantCulture);

    // More than `digits` digits, `more + 1` of them at most.
    private static GrammarNode Longer(int digits, int? more) => Nodes.InOrder(Nodes.Range('1', '9'), Nodes.Times(Nodes.Digit, digits, more));

    // Digits between two texts of one length, both in.
    private static GrammarNode SameLength(string low, string high)
    {
        if (low.Length == 0) return GrammarNode.Nothing;
        if (low.All(c => c == '0') && high.All(c => c == '9')) return Nodes.Times(Nodes.Digit, low.Length, low.Length);
        if (low[0] == high[0]) return Nodes.InOrder(Nodes.Text(low[..1]), SameLength(low[1..], high[1..]));
        var rest = low.Length - 1;
        var choices = new List<GrammarNode>
        {
            Nodes.InOrder(Nodes.Text(low[..1]), SameLength(low[1..], new string('9', rest))),
            Nodes.InOrder(Nodes.Text(high[..1]), SameLength(new string('0', rest), high[1..])),
        };
        if (high[0] - low[0] > 1) choices.Add(Nodes.InOrder(Nodes.Range(low[0] + 1, high[0] - 1), Nodes.Times(Nodes.Digit, rest, rest)));
        return Nodes.OneOf([.. choices]);
    }
}
