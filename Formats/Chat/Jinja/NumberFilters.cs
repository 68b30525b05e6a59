using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters that make or change numbers.</summary>
internal static class NumberFilters
{
    private static readonly string[] Binary = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    private static readonly string[] Decimal = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

    public static object Abs(object? value) =>
        Python.TryNumber(value, out var n) ? n.Abs().Box() : throw new JinjaError($"bad operand type for abs(): '{Python.TypeName(value)}'");

    public static object? ToFloat(object? value, Arguments a)
    {
        if (value is Undefined u) throw u.Fail();
        if (Python.TryNumber(value, out var number)) return number.ToDouble();
        return value is string text && Floats.TryParse(text, out var real) ? real : a.Get(0, "default", 0.0);
    }

    public static object? ToInt(object? value, Arguments a)
    {
        if (value is Undefined u) throw u.Fail();
        var otherwise = a.Get(0, "default", 0L);
        switch (value)
        {
            case bool b: return b ? 1L : 0L;
            case long or BigInteger: return value;
            case double d: return double.IsFinite(d) ? new Number(new BigInteger(Math.Truncate(d))).Box() : otherwise;
            case string text:
                if (Radix.TryParse(text, a.Whole(1, "base", 10), out var whole)) return new Number(whole).Box();
                return Floats.TryParse(text, out var real) && double.IsFinite(real)
                    ? new Number(new BigInteger(Math.Truncate(real))).Box()
                    : otherwise;
            default: return otherwise;
        }
    }

    public static object Round(object? value, Arguments a)
    {
        var digits = (int)Math.Clamp(a.Whole(0, "precision", 0), -10_000, 10_000);
        var method = a.Text(1, "method", "common");
        if (method is not ("common" or "ceil" or "floor")) throw new JinjaError("method must be common, ceil or floor");
        if (value is Undefined u && method != "common") throw u.Fail();
        if (!Python.TryNumber(value, out var number))
            throw new JinjaError(method == "common"
                ? $"type {Python.TypeName(value)} doesn't define __round__ method"
                : $"must be real number, not {Python.TypeName(value)}");
        if (method == "common") return number.IsFloat ? Floats.Round(number.ToDouble(), digits) : RoundWhole(number.ToWhole(), digits);
        var scale = Math.Pow(10, digits);
        var scaled = number.ToDouble() * scale;
        return (method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) / scale;
    }

    private static object RoundWhole(BigInteger value, int digits)
    {
        if (digits >= 0) return new Number(value).Box();
        var unit = BigInteger.Pow(10, Math.Min(-digits, 5000));
        var whole = BigInteger.DivRem(value, unit, out var rest);
        var half = (BigInteger.Abs(rest) * 2).CompareTo(unit);
        if (half > 0 || (half == 0 && !whole.IsEven)) whole += value.Sign;
        return new Number(whole * unit).Box();
    }

    /// <summary>13 kB, 4.1 MB: in powers of 1000, or of 1024.</summary>
    public static string FileSize(object? value, bool binary)
    {
        if (value is Undefined u) throw u.Fail();
        double bytes;
        if (Python.TryNumber(value, out var number)) bytes = number.ToDouble();
        else if (value is not string text)
            throw new JinjaError($"float() argument must be a string or a real number, not '{Python.TypeName(value)}'");
        else if (!Floats.TryParse(text, out bytes)) throw new JinjaError($"could not convert string to float: {Python.Repr(text)}");

        var step = binary ? 1024.0 : 1000.0;
        if (bytes == 1) return "1 Byte";
        if (bytes < step) return $"{new BigInteger(Math.Truncate(bytes)).ToString(CultureInfo.InvariantCulture)} Bytes";
        var names = binary ? Binary : Decimal;
        var unit = step;
        for (var i = 0; ; i++)
        {
            unit *= step;
            if (bytes < unit || i == names.Length - 1) return $"{Floats.Fixed(step * bytes / unit, 1)} {names[i]}";
        }
    }
}
