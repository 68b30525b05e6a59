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

    public bool IsNegative => IsFloat ? double.IsNegative(real) && !double.IsNaN(real) : whole.Sign < 0;

    /// <summary>float(value); an int beyond every float is refused.</summary>
    public double ToDouble() => IsFloat || double.IsFinite((double)whole) ? AsDouble : throw new JinjaError("int too large to convert to float");

    /// <summary>int(value), the part behind the point dropped.</summary>
    public BigInteger ToWhole() => !IsFloat ? whole : double.IsFinite(real) ? new BigInteger(Math.Truncate(real))
        : throw new JinjaError(double.IsNaN(real) ? "cannot convert float NaN to integer" : "cannot convert float infinity to integer");

    /// <summary>The value as templates hold it.</summary>
    public object Box()
    {
        if (IsFloat) return real;
        if (whole >= long.MinValue && whole <= long.MaxValue) return (long)whole;
        if (whole.GetBitLength() > MaxBits) throw new JinjaError("Exceeds the limit (4300 digits) for integers");
        Run.Step(whole);
        return whole;
    }

    public int CompareTo(Number other)
    {
        if (!IsFloat && !other.IsFloat) return whole.CompareTo(other.whole);
        return AsDouble == other.AsDouble ? 0 : AsDouble < other.AsDouble ? -1 : 1;
    }

    public override int GetHashCode() =>
        IsFloat && (real != Math.Floor(real) || double.IsInfinity(real))
            ? real.GetHashCode()
            : (IsFloat ? new BigInteger(real) : whole).GetHashCode();

    public Number Negate() => IsFloat ? new(-real) : new(-whole);

    public Number Abs() => IsFloat ? new(Math.Abs(real)) : new(BigInteger.Abs(whole));

    public static Number Compute(string op, Number a, Number b) =>
        a.IsFloat || b.IsFloat || op == "/" ? Reals(op, a.AsDouble, b.AsDouble, a, b) : Wholes(op, a.whole, b.whole);

    private static Number Reals(string op, double a, double b, Number x, Number y)
    {
        if (op is "/" or "//" or "%" && b == 0)
        {
            throw new JinjaError(op == "/" ? (x.IsFloat || y.IsFloat ? "float division by zero" : "division by zero")
                : op == "//" ? "float floor division by zero"
                : "float modulo");
        }
        switch (op)
        {
            case "+": return new(a + b);
            case "-": return new(a - b);
            case "*": return new(a * b);
            case "/": return new(a / b);
            case "//" or "%":
                // Python's way: the remainder has the divisor's sign, a zero too.
                var rest = a % b;
                var floor = (a - rest) / b;
                if (rest == 0) rest = Math.CopySign(0, b);
                else if ((b < 0) != (rest < 0)) (rest, floor) = (rest + b, floor - 1);
                if (op == "%") return new(rest);
                if (floor == 0) return new(Math.CopySign(0, a / b));
                var whole = Math.Floor(floor);
                return new(floor - whole > 0.5 ? whole + 1 : whole);
            default: return Power(a, b);
        }
    }

    private static Number Power(double a, double b)
    {
        if (a == 0 && b < 0) throw new JinjaError("0.0 cannot be raised to a negative power");
        var power = Math.Pow(a, b);
        if (double.IsInfinity(power) && double.IsFinite(a) && double.IsFinite(b)) throw new JinjaError("(34, 'Numerical result out of range')");
        if (double.IsNaN(power) && a < 0 && double.IsFinite(b))
            throw new JinjaError($"a negative number to the power {Floats.Repr(b)} is complex, which is not supported");
        return new(power);
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
                if (b.IsZero)
                    throw new JinjaError(
                        "integer modulo by zero".Replace("modulo", op == "//" ? "division or modulo" : "modulo", StringComparison.Ordinal));
                var quotient = BigInteger.DivRem(a, b, out var rest);
                // Python rounds towards minus infinity, and the remainder has the divisor's sign.
                if (!rest.IsZero && (rest.Sign < 0) != (b.Sign < 0)) (quotient, rest) = (quotient - 1, rest + b);
                return new(op == "//" ? quotient : rest);
            default:
                if (b.Sign < 0) return Power((double)a, (double)b);
                if (a.IsZero || a.IsOne) return new(b.IsZero ? BigInteger.One : a);
                if (a == BigInteger.MinusOne) return new(b.IsEven ? BigInteger.One : a);
                if (b > MaxBits || a.GetBitLength() * (long)b > 2 * MaxBits) throw new JinjaError("Exceeds the limit (4300 digits) for integers");
                return new(BigInteger.Pow(a, (int)b));
        }
    }

    /// <summary>repr of a float: the shortest digits that read back the same.</summary>
    public static string Format(double value) => Floats.Repr(value);
}
