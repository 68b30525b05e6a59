using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Quilt.Quantizer.Yaml;

/// <summary>
/// Scalars as PyYAML resolves them, which is YAML 1.1 with dots required in floats: yes and off are truth values, 010 is 8, 8_192 has a separator,
/// 1:30 is 90, and 1e3 is a text.
/// </summary>
internal static partial class YamlScalars
{
    private const string Standard = "tag:yaml.org,2002:";

    // Longer digits than any number in a settings file would only cost time.
    private const int MaxDigits = 4300;

    /// <summary>A plain scalar without a tag.</summary>
    /// <exception cref="FormatException">It has the form of a number and is none (<c>0x_</c>).</exception>
    public static YamlValue Plain(string text, int line)
    {
        if (text is "" or "~" or "null" or "Null" or "NULL") return new(YamlKind.Null, null, line) { Text = text };
        if (Flag(text) is { } flag) return new(YamlKind.Flag, null, line) { Text = text, Whole = flag ? 1 : 0 };
        if (text.Length <= MaxDigits)
        {
            if (RealForm().IsMatch(text)) return new(YamlKind.Real, null, line) { Text = text, Real = Real(text) };
            if (WholeForm().IsMatch(text)) return new(YamlKind.Whole, null, line) { Text = text, Whole = Whole(text) };
            if (DateForm().IsMatch(text)) return new(YamlKind.Date, null, line) { Text = text };
        }
        return new(YamlKind.Text, null, line) { Text = text };
    }

    /// <summary>A scalar with an explicit tag; a tag that is not YAML's own leaves a text.</summary>
    /// <exception cref="FormatException">The scalar is not what its tag says.</exception>
    public static YamlValue Tagged(string text, string tag, int line)
    {
        var value = tag.StartsWith(Standard, StringComparison.Ordinal) ? tag[Standard.Length..] : "";
        return value switch
        {
            "null" => new(YamlKind.Null, tag, line) { Text = text },
            "bool" => new(YamlKind.Flag, tag, line) { Text = text, Whole = (Flag(text) ?? throw new FormatException()) ? 1 : 0 },
            "int" => new(YamlKind.Whole, tag, line) { Text = text, Whole = Whole(text) },
            "float" => new(YamlKind.Real, tag, line) { Text = text, Real = Real(text) },
            "timestamp" => new(YamlKind.Date, tag, line) { Text = text },
            _ => new(YamlKind.Text, tag, line) { Text = text },
        };
    }

    private static bool? Flag(string text) => text switch
    {
        "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => true,
        "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => false,
        _ => null,
    };

    private static BigInteger Whole(string text)
    {
        if (text.Length > MaxDigits) throw new FormatException();
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        var sign = digits.StartsWith('-') ? -1 : 1;
        if (digits.Length > 0 && digits[0] is '-' or '+') digits = digits[1..];
        if (digits == "0") return 0;
        if (digits.StartsWith("0b", StringComparison.Ordinal)) return sign * Digits(digits[2..], 2);
        if (digits.StartsWith("0x", StringComparison.Ordinal)) return sign * Digits(digits[2..], 16);
        if (digits.StartsWith('0')) return sign * Digits(digits, 8);
        var whole = BigInteger.Zero;
        foreach (var part in digits.Split(':')) whole = (whole * 60) + Digits(part, 10);
        return sign * whole;
    }

    private static BigInteger Digits(string digits, int radix)
    {
        if (digits.Length == 0) throw new FormatException();
        if (radix == 10 && digits.All(char.IsAsciiDigit)) return BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        var whole = BigInteger.Zero;
        foreach (var c in digits)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix) throw new FormatException();
            whole = (whole * radix) + digit;
        }
        return whole;
    }

    private static double Real(string text)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
        var sign = digits.StartsWith('-') ? -1.0 : 1.0;
        if (digits.Length > 0 && digits[0] is '-' or '+') digits = digits[1..];
        if (digits is ".inf") return sign * double.PositiveInfinity;
        if (digits is ".nan") return double.NaN;
        var real = 0.0;
        foreach (var part in digits.Split(':'))
        {
            const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
            if (!double.TryParse(part, Style, CultureInfo.InvariantCulture, out var value)) throw new FormatException();
            real = (real * 60) + value;
        }
        return sign * real;
    }

    [GeneratedRegex(
        @"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?"          // 1. 1.5 1.5e+3, the exponent's sign required
        + @"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"                       // .5
        + @"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"             // 1:30.5
        + @"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex RealForm();

    [GeneratedRegex(
        @"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex WholeForm();

    [GeneratedRegex(
        @"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
        + @"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex DateForm();
}
