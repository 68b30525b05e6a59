using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>'%s and %5.2f' % values.</summary>
internal sealed class PercentFormat(string format, object? values, Run run)
{
    private const int MaxWidth = 10_000;
    private readonly IReadOnlyList<object?> list = values is JinjaTuple tuple ? tuple.Items : [values];
    private readonly StringBuilder text = new();
    private int at;
    private int next;

    public static string Apply(string format, object? values, Run run) => new PercentFormat(format, values, run).Fill();

    private string Fill()
    {
        for (; at < format.Length; at++)
        {
            if (format[at] != '%') text.Append(format[at]);
            else if (at + 1 < format.Length && format[at + 1] == '%') text.Append(format[++at]);
            else
            {
                at++;
                Field();
                run.SpendText(text.Length);
            }
        }
        // What has elements by name may have more than were asked for.
        if (next < list.Count && values is not (JinjaDict or JinjaList or JinjaRange or Undefined))
            throw new JinjaError("not all arguments converted during string formatting");
        return text.ToString();
    }

    private void Field()
    {
        var (named, hasName) = ((object?)null, false);
        if (Current == '(')
        {
            var close = format.IndexOf(')', at);
            if (close < 0) throw new JinjaError("incomplete format key");
            var key = format[(at + 1)..close];
            if (values is JinjaList) throw new JinjaError("list indices must be integers or slices, not str");
            if (values is not JinjaDict dict) throw new JinjaError("format requires a mapping");
            if (!dict.TryGet(key, out named)) throw new JinjaError($"'{key}'");
            (hasName, at) = (true, close + 1);
        }
        var flags = new StringBuilder();
        while (Current is '-' or '+' or ' ' or '0' or '#') flags.Append(format[at++]);
        var width = Size();
        if (width < 0) flags.Append('-');
        int? precision = null;
        if (Current == '.')
        {
            at++;
            precision = Math.Max(0, Size());
        }
        if (Current is 'h' or 'l' or 'L') at++;
        var kind = Current;
        if (kind == '\0') throw new JinjaError("incomplete format");
        var value = hasName ? named : kind == '%' ? null : Next();
        text.Append(Pad(One(kind, value, flags.ToString(), precision), Math.Abs(width), flags.ToString(), kind));
    }

    private char Current => at < format.Length ? format[at] : '\0';

    private object? Next() => next < list.Count ? list[next++] : throw new JinjaError("not enough arguments for format string");

    private string One(char kind, object? value, string flags, int? precision)
    {
        switch (kind)
        {
            case 's' or 'r' or 'a':
                run.SpendOn(value);
                var shown = kind == 's' ? Python.Str(value) : kind == 'r' ? Python.Repr(value) : PythonText.Ascii(Python.Repr(value));
                return precision is { } most && most < PythonText.Length(shown) ? string.Concat(PythonText.Characters(shown).Take(most)) : shown;
            case 'c':
                if (value is string one && PythonText.Length(one) == 1) return one;
                if (value is not (long or bool or BigInteger)) throw new JinjaError("%c requires int or char");
                var code = value is BigInteger ? -1 : Python.Index(value);
                return code is >= 0 and <= 0x10FFFF ? PythonText.FromCodePoint((int)code) : throw new JinjaError("%c arg not in range(0x110000)");
            case 'x' or 'X' or 'o':
                if (value is not (long or bool or BigInteger))
                    throw new JinjaError($"%{kind} format: an integer is required, not {Python.TypeName(value)}");
                _ = Python.TryNumber(value, out var integer);
                return Signed(integer.IsNegative, flags,
                    (flags.Contains('#')
                    ? $"0{kind}"
                    : "") + Case(Radix.Write(BigInteger.Abs(integer.ToWhole()), kind == 'o' ? 8 : 16).PadLeft(precision ?? 0, '0'), kind));
            case 'd' or 'i' or 'u':
                if (!Python.TryNumber(value, out var number))
                    throw value is Undefined u
                        ? u.Fail()
                        : new JinjaError(
                            $"%{(kind == 'i' || kind == 'u' ? kind : 'd')} format: a real number is required, not {Python.TypeName(value)}");
                return Signed(number.ToWhole().Sign < 0, flags,
                    BigInteger.Abs(number.ToWhole()).ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(precision ?? 0, '0'));
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                if (!Python.TryNumber(value, out var real))
                    throw value is Undefined missing ? missing.Fail() : new JinjaError($"must be real number, not {Python.TypeName(value)}");
                var (size, digits) = (Math.Abs(real.ToDouble()), Math.Min(precision ?? 6, Floats.MaxDigits));
                return Signed(real.IsNegative, flags, char.ToLowerInvariant(kind) switch
                {
                    'f' => Case(Floats.Fixed(size, digits) + (flags.Contains('#') && digits == 0 ? "." : ""), kind),
                    'e' => Case(Floats.Exponent(size, digits, 'e'), kind),
                    _ => Case(Floats.General(size, digits, 'e', flags.Contains('#')), kind),
                });
            default: throw new JinjaError($"unsupported format character '{kind}' (0x{(int)kind:x}) at index {at}");
        }
    }

    private static string Case(string digits, char kind) => char.IsAsciiLetterUpper(kind) ? digits.ToUpperInvariant() : digits;

    private static string Signed(bool negative, string flags, string digits) =>
        (negative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "") + digits;

    private static string Pad(string text, int width, string flags, char kind)
    {
        var missing = width - PythonText.Length(text);
        if (missing <= 0) return text;
        if (flags.Contains('-')) return text + new string(' ', missing);
        if (!flags.Contains('0') || kind is 's' or 'r' or 'a' or 'c') return new string(' ', missing) + text;
        var lead = text[0] is '-' or '+' or ' ' ? 1 : 0;
        if (kind is 'x' or 'X' or 'o' && flags.Contains('#')) lead += 2;
        return text[..lead] + new string('0', missing) + text[lead..];
    }

    // Digits, or * for the next value.
    private int Size()
    {
        if (Current == '*')
        {
            at++;
            var given = Next() is long or bool ? Python.Index(list[next - 1]) : throw new JinjaError("* wants int");
            return Math.Abs(given) <= MaxWidth ? (int)given : throw new JinjaError($"a width above {MaxWidth} is not allowed");
        }
        var start = at;
        while (char.IsAsciiDigit(Current)) at++;
        if (at == start) return 0;
        return int.TryParse(format.AsSpan(start, at - start), out var number) && number <= MaxWidth
            ? number
            : throw new JinjaError($"a width above {MaxWidth} is not allowed");
    }
}
