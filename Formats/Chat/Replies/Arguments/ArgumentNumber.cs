using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A number's text as Python's <c>int()</c> and <c>float()</c> take it, digits of any script and single underscores between them included, as JSON.
/// Whole numbers keep all of their digits, however they are written; a number that is not finite, or has more than
/// <see cref="ArgumentJson.MaxNumber"/> characters, is none.
/// </summary>
internal static class ArgumentNumber
{
    /// <summary>A whole number in digits; null where it is none. Leading zeros are not JSON.</summary>
    public static string? Integer(string text)
    {
        if (Plain(text.Trim()) is not { } digits) return null;
        var negative = digits.StartsWith('-');
        digits = digits.TrimStart('+', '-');
        if (digits.Length == 0 || digits.AsSpan().ContainsAnyExceptInRange('0', '9')) return null;
        return Signed(digits, negative);
    }

    /// <summary>A number; one that is whole becomes an integer.</summary>
    public static string? Number(string text) =>
        Plain(text.Trim()) is { } plain && Parse(plain) is { } real ? Whole(plain) ?? Jinja.Number.Format(real) : null;

    /// <summary>A number; one that is whole and written as a real number stays one.</summary>
    public static string? Real(string text)
    {
        if (Plain(text.Trim()) is not { } plain || Parse(plain) is not { } real) return null;
        var written = Jinja.Number.Format(real);
        // Past 2⁵³ a double is not every whole number any more.
        return Math.Abs(real) >= 1L << 53 && Whole(plain) is { } whole && whole != Whole(written) ? whole + ".0" : written;
    }

    private static double? Parse(string plain)
    {
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(plain, style, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? real : null;
    }

    // All digits of a number that is whole; null where it is none. It is finite, so that its exponent is small or its digits are zeros.
    private static string? Whole(string plain)
    {
        var exponentAt = plain.AsSpan().IndexOfAny('e', 'E');
        var mantissa = (exponentAt < 0 ? plain : plain[..exponentAt]).TrimStart('+', '-');
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        if (digits.AsSpan().ContainsAnyExceptInRange('0', '9')) return null;
        if (digits.Trim('0').Length == 0) return "0";
        var exponent = 0;
        if (exponentAt >= 0 && !int.TryParse(plain.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return null;
        var length = (point < 0 ? digits.Length : point) + (long)exponent;
        var significant = digits.TrimEnd('0');
        if (length < significant.Length || length > ArgumentJson.MaxNumber) return null;
        return Signed(length < digits.Length ? digits[..(int)length] : digits.PadRight((int)length, '0'), plain.StartsWith('-'));
    }

    private static string Signed(string digits, bool negative)
    {
        digits = digits.TrimStart('0');
        return digits.Length == 0 ? "0" : negative ? "-" + digits : digits;
    }

    // In ASCII's digits, without underscores, each of which must stand between digits; at most one sign in front.
    private static string? Plain(string text)
    {
        if (text.Length > ArgumentJson.MaxNumber || (text.Length > 1 && text[0] is '+' or '-' && text[1] is '+' or '-')) return null;
        if (!Ascii.IsValid(text)) text = InAscii(text);
        if (!text.Contains('_')) return text;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && (i == 0 || i == text.Length - 1 || !char.IsAsciiDigit(text[i - 1]) || !char.IsAsciiDigit(text[i + 1]))) return null;
        }
        return text.Replace("_", "", StringComparison.Ordinal);
    }

    private static string InAscii(string text)
    {
        var plain = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber) plain.Append((int)Rune.GetNumericValue(rune));
            else plain.Append(rune);
        }
        return plain.ToString();
    }
}
