using System.Globalization;
using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Ints in other bases.</summary>
internal static class Radix
{
    private const int MaxDigits = 4300;

    /// <summary>The digits of a number that is not negative, in lower case.</summary>
    public static string Write(BigInteger value, int radix)
    {
        if (value.IsZero) return "0";
        var digits = new StringBuilder();
        for (; !value.IsZero; value /= radix)
        {
            var digit = (int)(value % radix);
            digits.Insert(0, (char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
        }
        return digits.ToString();
    }

    /// <summary>int(text, radix): a sign, the prefix of the radix, underscores between digits; radix 0 goes by the prefix.</summary>
    public static bool TryParse(string text, long radix, out BigInteger value)
    {
        value = default;
        text = PythonText.Strip(text, null, left: true, right: true);
        var negative = text.StartsWith('-');
        if (negative || text.StartsWith('+')) text = text[1..];
        var own = text.Length > 1 && text[0] == '0' ? char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (own != 0 && (radix == own || radix == 0)) (text, radix) = (text[2..].TrimStart('_'), own);
        if (radix == 0) radix = 10;
        if (radix is < 2 or > 36 || text.Length is 0 or > MaxDigits || !Underscores.TryRemove(text, out text)) return false;
        foreach (var rune in text.EnumerateRunes())
        {
            var digit = rune.Value < 128 ? (char.IsAsciiDigit((char)rune.Value) ? rune.Value - '0'
                : char.IsAsciiLetter((char)rune.Value) ? (rune.Value | 0x20) - 'a' + 10
                : 99)
                : Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber ? (int)Rune.GetNumericValue(rune) : 99;
            if (digit >= radix) return false;
            value = (value * radix) + digit;
        }
        if (negative) value = -value;
        return true;
    }
}
