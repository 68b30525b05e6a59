using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Grammars.Json;

/// <summary>A decimal number, exact: <c>Digits · 10^−Scale</c>, the scale as small as it can be and not below 0.</summary>
internal readonly record struct JsonDecimal(BigInteger Digits, int Scale) : IComparable<JsonDecimal>
{
    /// <summary>Digits before or behind the point, at most.</summary>
    public const int MaxDigits = 100;

    public bool IsInteger => Scale == 0;

    public bool IsNegative => Digits.Sign < 0;

    /// <summary>Digits of the whole part, without a sign.</summary>
    public BigInteger Whole => BigInteger.Abs(Digits) / BigInteger.Pow(10, Scale);

    /// <summary>Digits behind the point; the last of them is no 0.</summary>
    public string Fraction => Scale == 0
        ? ""
        : (BigInteger.Abs(Digits) % BigInteger.Pow(10, Scale)).ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0');

    /// <summary>The next whole number that is not below it.</summary>
    public BigInteger Ceiling => Digits.Sign >= 0 && Scale > 0 ? Whole + 1 : Digits.Sign * Whole;

    /// <summary>The next whole number that is not above it.</summary>
    public BigInteger Floor => Digits.Sign < 0 && Scale > 0 ? -Whole - 1 : Digits.Sign * Whole;

    public static JsonDecimal Of(BigInteger digits, int scale)
    {
        while (scale > 0)
        {
            var (quotient, rest) = BigInteger.DivRem(digits, 10);
            if (!rest.IsZero) break;
            (digits, scale) = (quotient, scale - 1);
        }
        return new(digits, scale);
    }

    /// <summary>A number as JSON writes it; null where it has more than <see cref="MaxDigits"/> digits on a side of the point.</summary>
    public static JsonDecimal? Parse(string json)
    {
        var exponentAt = json.AsSpan().IndexOfAny('e', 'E');
        var mantissa = exponentAt < 0 ? json : json[..exponentAt];
        var exponent = 0;
        if (exponentAt >= 0 && !int.TryParse(json.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return null;
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var text = mantissa.Replace(".", "", StringComparison.Ordinal);
        if (text.Length > 2 * MaxDigits) return null;
        var digits = BigInteger.Parse(text, CultureInfo.InvariantCulture);
        if (digits.IsZero) return default(JsonDecimal);
        var scale = (point < 0 ? 0 : mantissa.Length - point - 1) - (long)exponent;
        if (Math.Abs(scale) > 2 * MaxDigits) return null;
        var number = scale < 0 ? new JsonDecimal(digits * BigInteger.Pow(10, (int)-scale), 0) : Of(digits, (int)scale);
        return number.Scale > MaxDigits || number.Whole >= BigInteger.Pow(10, MaxDigits) ? null : number;
    }

    /// <summary>The number without its sign.</summary>
    public JsonDecimal Abs() => new(BigInteger.Abs(Digits), Scale);

    /// <summary>The digits that it has with another scale, which is not below its own.</summary>
    public BigInteger DigitsAt(int scale) => Digits * BigInteger.Pow(10, scale - Scale);

    public int CompareTo(JsonDecimal other)
    {
        var scale = Math.Max(Scale, other.Scale);
        return DigitsAt(scale).CompareTo(other.DigitsAt(scale));
    }

    public static bool operator <(JsonDecimal left, JsonDecimal right) => left.CompareTo(right) < 0;

    public static bool operator >(JsonDecimal left, JsonDecimal right) => left.CompareTo(right) > 0;

    public static bool operator <=(JsonDecimal left, JsonDecimal right) => left.CompareTo(right) <= 0;

    public static bool operator >=(JsonDecimal left, JsonDecimal right) => left.CompareTo(right) >= 0;
}
