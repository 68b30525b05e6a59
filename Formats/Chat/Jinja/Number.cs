using System.Globalization;
using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>An int of any size or a float, with Python's arithmetic.</summary>
internal readonly struct Number : IComparable<Number>
{
    private const int MaxBits = 1 << 14;          // ints beyond ~4,900 digits are refused, as Python refuses to print them
    private readonly BigInteger whole;
    private readonly double real;

    public Number(BigInteger value) => (whole, real, IsFloat) = (value, 0, false);

    public Number(double value) => (whole, real, IsFloat) = (default, value, true);

    public bool IsFloat { get; }

    private double AsDouble => IsFloat ? real : (double)whole;

    /// <summary>The value as templates hold it.</summary>
    public object Box()
    {
        if (IsFloat) return real;
        if (whole >= long.MinValue && whole <= long.MaxValue) return (long)whole;
        if (whole.GetBitLength() > MaxBits) throw new JinjaError("Exceeds the limit (4300 digits) for integers");
        return whole;
    }

    public int CompareTo(Number other)
    {
        if (!IsFloat && !other.IsFloat) return whole.CompareTo(other.whole);
        return AsDouble == other.AsDouble ? 0 : AsDouble < other.AsDouble ? -1 : 1;
    }

    public override int GetHashCode() => IsFloat && (real != Math.Floor(real) || double.IsInfinity(real)) ? real.GetHashCode() : (IsFloat ? new BigInteger(real) : whole).GetHashCode();

    public Number Negate() => IsFloat ? new(-real) : new(-whole);

    public Number Abs() => IsFloat ? new(Math.Abs(real)) : new(BigInteger.Abs(whole));

    public static Number Compute(string op, Number a, Number b) => a.IsFloat || b.IsFloat || op == "/" ? Floats(op, a.AsDouble, b.AsDouble, a, b) : Wholes(op, a.whole, b.whole);

    private static Number Floats(string op, double a, double b, Number x, Number y)
    {
        if (op is "/" or "//" or "%" && b == 0)
        {
            throw new JinjaError(op == "/" ? (x.IsFloat || y.IsFloat ? "float division by zero" : "division by zero") : op == "//" ? "float floor division by zero" : "float modulo");
        }
        switch (op)
        {
            case "+": return new(a + b);
            case "-": return new(a - b);
            case "*": return new(a * b);
            case "/": return new(a / b);
            case "//": return new(Math.Floor(a / b));
            case "%":
                var r = a % b;
                return new(r != 0 && (r < 0) != (b < 0) ? r + b : r);
            default: return new(Math.Pow(a, b));
        }
    }

    private static Number Wholes(string op, BigInteger a, BigInteger b)
    {
        switch (op)
        {
            case "+": return new(a + b);
            case "-": return new(a - b);
            case "*":
                if (a.GetBitLength() + b.GetBitLength() > 2 * MaxBits) throw new JinjaError("Exceeds the limit (4300 digits) for integers");
                return new(a * b);
            case "//" or "%":
                if (b.IsZero) throw new JinjaError("integer modulo by zero".Replace("modulo", op == "//" ? "division or modulo" : "modulo", StringComparison.Ordinal));
                var quotient = BigInteger.DivRem(a, b, out var rest);
                // Python rounds towards minus infinity, and the remainder has the divisor's sign.
                if (!rest.IsZero && (rest.Sign < 0) != (b.Sign < 0)) (quotient, rest) = (quotient - 1, rest + b);
                return new(op == "//" ? quotient : rest);
            default:
                if (b.Sign < 0) return a.IsZero ? throw new JinjaError("zero to a negative power") : new(Math.Pow((double)a, (double)b));
                if (b > MaxBits || (BigInteger.Abs(a) > 1 && a.GetBitLength() * (long)b > 2 * MaxBits)) throw new JinjaError("Exceeds the limit (4300 digits) for integers");
                return new(BigInteger.Pow(a, (int)b));
        }
    }

    /// <summary>repr of a float: the shortest digits that read back the same.</summary>
    public static string Format(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = value == 0 ? 0 : int.Parse(text.AsSpan(text.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var (sign, digits) = Digits(shortest);
        if (exponent is >= -4 and < 16)
        {
            if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
            if (digits.Length <= exponent + 1) return $"{sign}{digits}{new string('0', exponent + 1 - digits.Length)}.0";
            return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
        }
        var mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
        return $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    // The significant digits of any form of a number, without leading or trailing zeros.
    private static (string Sign, string Digits) Digits(string text)
    {
        var sign = text[0] == '-' ? "-" : "";
        var end = text.IndexOfAny(['E', 'e']);
        var body = end < 0 ? text : text[..end];
        var digits = string.Concat(body.Where(char.IsAsciiDigit)).TrimStart('0');
        if (digits.Length > 1) digits = digits.TrimEnd('0');
        return (sign, digits.Length == 0 ? "0" : digits);
    }
}
