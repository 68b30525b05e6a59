using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>
/// Floats in writing, as Python writes and reads them: repr, and the exactly rounded forms f, e and g (half to even of the exact binary value).
/// </summary>
internal static class Floats
{
    public const int MaxDigits = 500;

    /// <summary>repr: the shortest digits that read back the same.</summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value)) return Special(value);
        var sign = double.IsNegative(value) ? "-" : "";
        if (value == 0) return sign + "0.0";
        var (digits, exponent) = Split(Math.Abs(value).ToString("R", CultureInfo.InvariantCulture));
        if (exponent is >= -4 and < 16)
        {
            if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
            if (digits.Length <= exponent + 1) return $"{sign}{digits}{new string('0', exponent + 1 - digits.Length)}.0";
            return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
        }
        return sign + Scientific(digits, exponent, 'e');
    }

    /// <summary>float(text): surrounding spaces, underscores between digits, inf and nan are allowed.</summary>
    public static bool TryParse(string text, out double value)
    {
        text = PythonText.Strip(text, null, left: true, right: true);
        value = text.TrimStart('+', '-').ToLowerInvariant() switch
        {
            "inf" or "infinity" => double.PositiveInfinity,
            "nan" => double.NaN,
            _ => 0,
        };
        if (value != 0)
        {
            if (text.Length - text.TrimStart('+', '-').Length > 1) return false;
            if (text[0] == '-') value = -value;
            return true;
        }
        return Underscores.TryRemove(text, out text)
            && double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The digits of |value| with a fixed number behind the point.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value)) return Special(Math.Abs(value));
        var digits = Scaled(value, Math.Min(decimals, MaxDigits)).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        return decimals == 0 ? digits : $"{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>|value| as d.ddde±xx.</summary>
    public static string Exponent(double value, int decimals, char e)
    {
        if (!double.IsFinite(value)) return Special(Math.Abs(value));
        var (digits, exponent) = Significant(value, Math.Min(decimals, MaxDigits) + 1);
        return Scientific(digits, exponent, e, keepPoint: decimals > 0);
    }

    /// <summary>|value| in the shorter of the two forms, with so many significant digits.</summary>
    public static string General(double value, int precision, char e, bool keepZeros = false)
    {
        if (!double.IsFinite(value)) return Special(Math.Abs(value));
        precision = Math.Clamp(precision, 1, MaxDigits);
        var (digits, exponent) = Significant(value, precision);
        if (!keepZeros) digits = digits.TrimEnd('0') is { Length: > 0 } kept ? kept : "0";
        if (exponent < -4 || exponent >= precision) return Scientific(digits, exponent, e);
        if (exponent < 0) return $"0.{new string('0', -exponent - 1)}{digits}";
        if (digits.Length <= exponent + 1) return digits + new string('0', exponent + 1 - digits.Length);
        return $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>round(value, decimals), exactly.</summary>
    public static double Round(double value, int decimals)
    {
        if (!double.IsFinite(value) || decimals > 323) return value;
        if (decimals < -308) return 0.0 * value;
        var rounded = double.Parse($"{Scaled(value, decimals)}e{-decimals}", CultureInfo.InvariantCulture);
        return double.IsNegative(value) ? -rounded : rounded;
    }

    // |value| · 10^decimals, rounded half to even. A double is m · 2^e, so this is whole-number arithmetic.
    private static BigInteger Scaled(double value, int decimals)
    {
        Run.Charge(64L * Math.Abs(decimals));
        var bits = BitConverter.DoubleToInt64Bits(value);
        var power = (int)((bits >> 52) & 0x7FF);
        BigInteger mantissa = (bits & 0xFFFFFFFFFFFFF) | (power == 0 ? 0 : 1L << 52);
        power = Math.Max(power, 1) - 1075;
        var (above, below) = (mantissa, BigInteger.One);
        if (power > 0) above <<= power;
        else below <<= -power;
        if (decimals > 0) above *= BigInteger.Pow(10, decimals);
        else below *= BigInteger.Pow(10, -decimals);
        var whole = BigInteger.DivRem(above, below, out var rest);
        var half = (rest * 2).CompareTo(below);
        return half > 0 || (half == 0 && !whole.IsEven) ? whole + 1 : whole;
    }

    private static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0) return (new string('0', count), 0);
        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)));
        for (var guess = exponent - 1; ; guess++)
        {
            var digits = Scaled(value, count - 1 - guess).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count) return (digits, guess);
        }
    }

    private static string Scientific(string digits, int exponent, char e, bool keepPoint = true)
    {
        var mantissa = digits.Length == 1 || !keepPoint ? digits : $"{digits[0]}.{digits[1..]}";
        return $"{mantissa}{e}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static string Special(double value) => double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";

    // The significant digits of a positive number in any form, and the power of ten of the first one.
    private static (string Digits, int Exponent) Split(string text)
    {
        var e = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var body = e < 0 ? text : text[..e];
        var point = body.IndexOf('.', StringComparison.Ordinal);
        var digits = point < 0 ? body : body.Remove(point, 1);
        var leading = digits.Length - digits.TrimStart('0').Length;
        var trimmed = digits.Trim('0');
        return (trimmed, exponent + (point < 0 ? body.Length : point) - leading - 1);
    }
}

/// <summary>The underscores Python allows between the digits of a number.</summary>
internal static class Underscores
{
    /// <summary>False where one stands anywhere else.</summary>
    public static bool TryRemove(string text, out string bare)
    {
        bare = text;
        if (!text.Contains('_', StringComparison.Ordinal)) return true;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && !(i > 0 && i + 1 < text.Length && char.IsAsciiLetterOrDigit(text[i - 1]) && char.IsAsciiLetterOrDigit(text[i + 1])))
                return false;
        }
        bare = text.Replace("_", "", StringComparison.Ordinal);
        return true;
    }
}
