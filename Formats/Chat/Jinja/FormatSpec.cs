using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>[[fill]align][sign][#][0][width][,|_][.precision][type]: what format() does with str, bool, int and float.</summary>
internal readonly struct FormatSpec
{
    private const int MaxWidth = 10_000;
    private readonly string spec;
    private readonly string fill;
    private readonly char align;
    private readonly char sign;
    private readonly bool alternate;
    private readonly int width;
    private readonly char grouping;
    private readonly int? precision;
    private readonly char type;

    private FormatSpec(string spec)
    {
        this.spec = spec;
        (fill, align, sign, grouping, type) = (" ", '\0', '\0', '\0', '\0');
        var i = 0;
        var first = spec.Length > 1 && char.IsSurrogatePair(spec[0], spec[1]) ? 2 : 1;
        if (spec.Length > first && spec[first] is '<' or '>' or '=' or '^') (fill, align, i) = (spec[..first], spec[first], first + 1);
        else if (spec.Length > 0 && spec[0] is '<' or '>' or '=' or '^') (align, i) = (spec[0], 1);
        if (At(i) is '+' or '-' or ' ') sign = spec[i++];
        if (At(i) == '#') (alternate, i) = (true, i + 1);
        if (At(i) == '0')
        {
            if (align == '\0') (fill, align) = ("0", '=');
            i++;
        }
        width = Number(ref i) ?? 0;
        if (At(i) is ',' or '_') grouping = spec[i++];
        if (At(i) == '.')
        {
            i++;
            precision = Number(ref i) ?? throw new JinjaError("Format specifier missing precision");
        }
        if (i < spec.Length) type = spec[i++];
        if (i < spec.Length) throw new JinjaError($"Invalid format specifier '{spec}'");
    }

    /// <summary>format(value, spec).</summary>
    public static string Apply(object? value, string spec)
    {
        if (spec.Length == 0) return Python.Str(value);
        if (value is not (string or bool or long or BigInteger or double))
            throw new JinjaError(value is Undefined
                ? "unsupported format string passed to Undefined.__format__"
                : $"unsupported format string passed to {Python.TypeName(value)}.__format__");
        return new FormatSpec(spec).Apply(value);
    }

    private string Apply(object value)
    {
        switch (value)
        {
            case string text: return OfText(text);
            case double real: return OfFloat(real, "float");
            default:
                _ = Python.TryNumber(value, out var number);
                return type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%' ? OfFloat(number.ToDouble(), "int") : OfInt(number.ToWhole());
        }
    }

    private string OfText(string text)
    {
        if (type is not ('\0' or 's')) throw Unknown("str");
        if (sign != '\0') throw new JinjaError("Sign not allowed in string format specifier");
        if (alternate) throw new JinjaError("Alternate form (#) not allowed in string format specifier");
        if (grouping != '\0') throw new JinjaError($"Cannot specify '{grouping}' with 's'.");
        if (align == '=' && fill != "0") throw new JinjaError("'=' alignment not allowed in string format specifier");
        if (precision is { } most && most < PythonText.Length(text)) text = string.Concat(PythonText.Characters(text).Take(most));
        return Pad("", text, align is '\0' or '=' ? '<' : align);
    }

    private string OfInt(BigInteger value)
    {
        if (precision is not null) throw new JinjaError("Precision not allowed in integer format specifier");
        var size = BigInteger.Abs(value);
        if (type == 'c')
        {
            if (sign != '\0') throw new JinjaError("Sign not allowed with integer format specifier 'c'");
            if (value.Sign < 0 || value > 0x10FFFF) throw new JinjaError("%c arg not in range(0x110000)");
            return Pad("", PythonText.FromCodePoint((int)value), align == '\0' ? '<' : align);
        }
        var (digits, prefix) = type switch
        {
            '\0' or 'd' or 'n' => (size.ToString(CultureInfo.InvariantCulture), ""),
            'x' => (Radix.Write(size, 16), "0x"),
            'X' => (Radix.Write(size, 16).ToUpperInvariant(), "0X"),
            'o' => (Radix.Write(size, 8), "0o"),
            'b' => (Radix.Write(size, 2), "0b"),
            _ => throw Unknown("int"),
        };
        if (grouping == ',' && type is not ('\0' or 'd')) throw new JinjaError($"Cannot specify ',' with '{type}'.");
        return Signed(value.Sign < 0, alternate ? prefix : "", digits, type is 'x' or 'X' or 'o' or 'b' ? 4 : 3);
    }

    private string OfFloat(double value, string typeName)
    {
        if (type is not ('\0' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%')) throw Unknown(typeName);
        var size = Math.Abs(value);
        var digits = type switch
        {
            'f' or 'F' => Floats.Fixed(size, precision ?? 6),
            'e' or 'E' => Floats.Exponent(size, precision ?? 6, type),
            'g' or 'G' or 'n' => Floats.General(size, precision ?? 6, type == 'G' ? 'E' : 'e', alternate),
            '%' => Floats.Fixed(size * 100, precision ?? 6) + "%",
            _ when precision is { } some => Plain(size, some),
            _ => Floats.Repr(size),
        };
        if (type is 'F' or 'E' or 'G') digits = digits.ToUpperInvariant();
        return Signed(double.IsNegative(value) && !double.IsNaN(value), "", digits, 3);
    }

    // No type but a precision: like g, but with a digit behind the point, and an exponent one digit earlier.
    private static string Plain(double size, int precision)
    {
        var text = Floats.General(size, precision, 'e');
        if (text.Contains('e', StringComparison.Ordinal) || !double.IsFinite(size)) return text;
        if (text.Contains('.', StringComparison.Ordinal)) return text;
        return text.Length >= Math.Max(1, precision) && size >= 1
            ? Floats.Exponent(size, Math.Max(0, text.TrimEnd('0').Length - 1), 'e')
            : text + ".0";
    }

    private string Signed(bool negative, string prefix, string digits, int group)
    {
        var lead = (negative ? "-" : sign is '+' or ' ' ? sign.ToString() : "") + prefix;
        if (grouping == '\0') return Pad(lead, digits, align == '\0' ? '>' : align);
        var end = digits.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and var at && group == 3 ? at : digits.Length;
        var whole = digits[..end];
        // Zeros that fill are grouped like digits.
        if (fill == "0" && align == '=') while (Grouped(whole, group).Length + lead.Length + digits.Length - end < width) whole = "0" + whole;
        return Pad(lead, Grouped(whole, group) + digits[end..], align == '\0' ? '>' : align);
    }

    private string Grouped(string digits, int group)
    {
        for (var i = digits.Length - group; i > 0; i -= group) digits = digits.Insert(i, grouping.ToString());
        return digits.TrimStart(grouping);
    }

    private string Pad(string lead, string text, char how)
    {
        var missing = width - PythonText.Length(lead) - PythonText.Length(text);
        if (missing <= 0) return lead + text;
        var before = how switch
        {
            '<' => 0,
            '^' => missing / 2,
            _ => missing,
        };
        var (left, right) = (string.Concat(Enumerable.Repeat(fill, before)), string.Concat(Enumerable.Repeat(fill, missing - before)));
        return how == '=' ? lead + left + text : left + lead + text + right;
    }

    private JinjaError Unknown(string typeName) => new($"Unknown format code '{type}' for object of type '{typeName}'");

    private char At(int i) => i < spec.Length ? spec[i] : '\0';

    private int? Number(ref int i)
    {
        var start = i;
        while (i < spec.Length && char.IsAsciiDigit(spec[i])) i++;
        if (i == start) return null;
        return int.TryParse(spec.AsSpan(start, i - start), out var number) && number <= MaxWidth
            ? number
            : throw new JinjaError($"a width above {MaxWidth} is not allowed");
    }
}
