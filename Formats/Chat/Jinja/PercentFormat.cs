using System.Globalization;
using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>'%s and %5.2f' % values.</summary>
internal static class PercentFormat
{
    private const int MaxWidth = 10_000;

    public static string Apply(string format, object? values, Run run)
    {
        var list = values is JinjaTuple tuple ? tuple.Items : [values];
        var text = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            if (++i >= format.Length) throw new JinjaError("incomplete format");
            if (format[i] == '%')
            {
                text.Append('%');
                continue;
            }
            object? named = null;
            var hasName = false;
            if (format[i] == '(')
            {
                var close = format.IndexOf(')', i);
                if (close < 0) throw new JinjaError("incomplete format key");
                if (values is not JinjaDict dict) throw new JinjaError("format requires a mapping");
                if (!dict.TryGet(format[(i + 1)..close], out named)) throw new JinjaError($"'{format[(i + 1)..close]}'");
                (hasName, i) = (true, close + 1);
            }
            var flags = new StringBuilder();
            while (i < format.Length && format[i] is '-' or '+' or ' ' or '0' or '#') flags.Append(format[i++]);
            var width = ReadNumber(format, ref i) ?? 0;
            int? precision = null;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = ReadNumber(format, ref i) ?? 0;
            }
            if (i >= format.Length) throw new JinjaError("incomplete format");
            var value = hasName ? named : next < list.Count ? list[next++] : throw new JinjaError("not enough arguments for format string");
            text.Append(Pad(One(format[i], value, flags.ToString(), precision), width, flags.ToString(), format[i]));
            run.SpendText(text.Length);
        }
        if (next < list.Count && values is not JinjaDict) throw new JinjaError("not all arguments converted during string formatting");
        return text.ToString();
    }

    private static string One(char kind, object? value, string flags, int? precision)
    {
        switch (kind)
        {
            case 's' or 'r' or 'a':
                var text = kind == 's' ? Python.Str(value) : Python.Repr(value);
                return precision is { } most && most < text.Length ? text[..most] : text;
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                if (!Python.TryNumber(value, out var number)) throw new JinjaError($"%{kind} format: a real number is required, not {Python.TypeName(value)}");
                var boxed = number.Box();
                var isFloat = kind is 'e' or 'E' or 'f' or 'F' or 'g' or 'G';
                var real = boxed is double d ? d : double.Parse(boxed.ToString()!, CultureInfo.InvariantCulture);
                var whole = boxed is double ? new BigInteger(Math.Truncate(real)) : boxed is long n ? n : (BigInteger)boxed;
                var digits = kind switch
                {
                    'x' => Hex(whole, flags).ToLowerInvariant(),
                    'X' => Hex(whole, flags),
                    'o' => Convert.ToString((long)BigInteger.Abs(whole), 8),
                    'f' or 'F' => Math.Abs(real).ToString($"F{Math.Min(precision ?? 6, 300)}", CultureInfo.InvariantCulture),
                    'e' or 'E' => Exponent(Math.Abs(real).ToString($"{kind}{Math.Min(precision ?? 6, 300)}", CultureInfo.InvariantCulture)),
                    'g' or 'G' => Math.Abs(real).ToString($"G{Math.Clamp(precision ?? 6, 1, 300)}", CultureInfo.InvariantCulture),
                    _ => BigInteger.Abs(whole).ToString(CultureInfo.InvariantCulture),
                };
                var negative = isFloat ? real < 0 : whole.Sign < 0;
                return (negative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "") + digits;
            case 'c': return value is string one ? one : char.ConvertFromUtf32((int)Math.Clamp(Python.Index(value), 0, 0xD7FF));
            default: throw new JinjaError($"unsupported format character '{kind}'");
        }
    }

    private static string Hex(BigInteger value, string flags) => (flags.Contains('#') ? "0X" : "") + (BigInteger.Abs(value).ToString("X", CultureInfo.InvariantCulture).TrimStart('0') is { Length: > 0 } hex ? hex : "0");

    // .NET writes three digits of exponent, Python at least two.
    private static string Exponent(string text)
    {
        var at = text.Length - 3;
        return text[at] == '0' ? text.Remove(at, 1) : text;
    }

    private static string Pad(string text, int width, string flags, char kind)
    {
        if (text.Length >= width) return text;
        if (flags.Contains('-')) return text.PadRight(width);
        if (!flags.Contains('0') || kind is 's' or 'r' or 'a' or 'c') return text.PadLeft(width);
        var sign = text[0] is '-' or '+' or ' ' ? 1 : 0;
        return text[..sign] + new string('0', width - text.Length) + text[sign..];
    }

    private static int? ReadNumber(string format, ref int i)
    {
        var start = i;
        while (i < format.Length && char.IsAsciiDigit(format[i])) i++;
        if (i == start) return null;
        return int.TryParse(format.AsSpan(start, i - start), out var number) && number <= MaxWidth ? number : throw new JinjaError($"a width above {MaxWidth} is not allowed");
    }
}
