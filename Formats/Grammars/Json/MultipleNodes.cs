using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// Whole multiples of a number, by their digits: of one that divides a power of ten the last digits tell, of a small whole number the remainder of
/// the digits so far, of any within narrow bounds a list.
/// </summary>
internal static class MultipleNodes
{
    private const int MaxChoices = 2000;
    private const int MaxRemainders = 512;

    /// <summary>
    /// Multiples without a sign as a regular node, in whole form or as decimals of any length; null where the last digits do not tell.
    /// </summary>
    public static GrammarNode? ByLastDigits(JsonDecimal step, bool isWhole)
    {
        var last = step.Scale;
        while (!(BigInteger.Pow(10, last) % step.Digits).IsZero)
        {
            if (++last - step.Scale > 24) return null;
        }
        if (BigInteger.Pow(10, last) / step.Digits > MaxChoices) return null;
        var ends = new List<GrammarNode>();
        for (var value = BigInteger.Zero; value < BigInteger.Pow(10, last); value += step.Digits)
        {
            var digits = DigitNodes.Text(value).PadLeft(Math.Max(last, step.Scale + 1), '0');
            var (whole, fraction) = (digits[..^step.Scale], digits[^step.Scale..].TrimEnd('0'));
            var form = fraction.Length == 0 ? isWhole ? GrammarNode.Nothing : DigitNodes.NoFraction
                : Nodes.InOrder(Nodes.Text("." + fraction), new Repeat(Nodes.Text("0"), 0, null));
            ends.Add(Nodes.InOrder(Nodes.Text(BigInteger.Parse(whole, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)), form));
            // Behind other digits those of the whole part that count are written out, zeros too.
            var counted = last - step.Scale;
            ends.Add(Nodes.InOrder(Nodes.Range('1', '9'), new Repeat(Nodes.Digit, 0, null), Nodes.Text(whole[^counted..]), form));
        }
        return Nodes.OneOf([.. ends]);
    }

    /// <summary>The least whole number of which every whole multiple of <paramref name="step"/> that is whole is a multiple.</summary>
    public static BigInteger WholeStep(JsonDecimal step) =>
        step.Digits / BigInteger.GreatestCommonDivisor(step.Digits, BigInteger.Pow(10, step.Scale));

    /// <summary>Whole multiples within bounds, one by one; null where they are too many.</summary>
    public static GrammarNode? Listed(BigInteger step, BigInteger least, BigInteger most)
    {
        if ((most - least) / step > MaxChoices) return null;
        var first = least / step * step;
        if (first < least) first += step;
        var choices = new List<GrammarNode>();
        for (var value = first; value <= most; value += step) choices.Add(Nodes.Text(DigitNodes.Text(value)));
        return Nodes.OneOf([.. choices]);
    }

    /// <summary>
    /// Whole multiples above 0, without a sign, as rules: one for each remainder of the digits so far. Null where they would be too many.
    /// </summary>
    public static GrammarNode? ByRemainder(BigInteger step, Dictionary<string, GrammarNode> rules)
    {
        if (step > MaxRemainders) return null;
        var remainders = (int)step;
        for (var remainder = 0; remainder < remainders; remainder++) rules[Rule(remainder)] = Next(remainder, 0, remainder == 0);
        return Next(0, 1, isEnd: false);

        GrammarNode Next(int remainder, int digit, bool isEnd)
        {
            var choices = new List<GrammarNode>();
            if (isEnd) choices.Add(GrammarNode.Nothing);
            for (; digit < 10; digit++)
            {
                choices.Add(Nodes.InOrder(Nodes.Text(DigitNodes.Text(digit)), new RuleReference(Rule(((remainder * 10) + digit) % remainders))));
            }
            return Nodes.OneOf([.. choices]);
        }

        string Rule(int remainder) => $"multiples of {step}: {remainder}";
    }
}
