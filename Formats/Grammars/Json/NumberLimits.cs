using System.Numerics;

namespace Quilt.Formats.Grammars.Json;

/// <summary>What numbers may be.</summary>
/// <param name="Least">Not below this; null: no bound.</param>
/// <param name="LeastIsOut">Nor this itself.</param>
/// <param name="Most">Not above this.</param>
/// <param name="MostIsOut">Nor this itself.</param>
/// <param name="Step">A whole multiple of this, which is above 0.</param>
internal sealed record NumberLimits(JsonDecimal? Least = null, bool LeastIsOut = false, JsonDecimal? Most = null, bool MostIsOut = false,
    JsonDecimal? Step = null)
{
    /// <summary>Whether no number fits, as far as bounds tell.</summary>
    public bool IsEmpty => Least is { } least && Most is { } most && (least > most || (least == most && (LeastIsOut || MostIsOut)));

    /// <summary>The least whole number; null: none.</summary>
    public BigInteger? LeastInteger => Least is { } least ? least.IsInteger && LeastIsOut ? least.Ceiling + 1 : least.Ceiling : null;

    /// <summary>The greatest whole number; null: none.</summary>
    public BigInteger? MostInteger => Most is { } most ? most.IsInteger && MostIsOut ? most.Floor - 1 : most.Floor : null;

    /// <summary>What both allow.</summary>
    public NumberLimits Merge(NumberLimits other)
    {
        var (least, leastIsOut) = (Least, LeastIsOut);
        if (other.Least is { } low && (least is null || low > least || (low == least && other.LeastIsOut)))
            (least, leastIsOut) = (low, other.LeastIsOut);
        var (most, mostIsOut) = (Most, MostIsOut);
        if (other.Most is { } high && (most is null || high < most || (high == most && other.MostIsOut)))
            (most, mostIsOut) = (high, other.MostIsOut);
        return new(least, leastIsOut, most, mostIsOut, CommonStep(Step, other.Step));
    }

    /// <summary>Whether a number fits.</summary>
    public bool Accepts(JsonDecimal number)
    {
        if (Least is { } least && (number < least || (LeastIsOut && number == least))) return false;
        if (Most is { } most && (number > most || (MostIsOut && number == most))) return false;
        if (Step is not { } step) return true;
        var scale = Math.Max(number.Scale, step.Scale);
        return (number.DigitsAt(scale) % step.DigitsAt(scale)).IsZero;
    }

    private static JsonDecimal? CommonStep(JsonDecimal? a, JsonDecimal? b)
    {
        if (a is not { } one || b is not { } two) return a ?? b;
        var scale = Math.Max(one.Scale, two.Scale);
        var (x, y) = (one.DigitsAt(scale), two.DigitsAt(scale));
        return JsonDecimal.Of(x / BigInteger.GreatestCommonDivisor(x, y) * y, scale);
    }
}
