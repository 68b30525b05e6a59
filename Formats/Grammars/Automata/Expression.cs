using System.Buffers;

namespace Quilt.Formats.Grammars.Automata;

/// <summary>What an expression is.</summary>
internal enum ExpressionKind : byte
{
    /// <summary>The empty text.</summary>
    Empty,
    /// <summary>No text.</summary>
    Never,
    /// <summary>One byte of some ranges, then what that range leads to.</summary>
    Bytes,
    /// <summary>First, then second; first is no sequence.</summary>
    Sequence,
    /// <summary>One of the items.</summary>
    Choice,
    /// <summary>First, from Least to Most times; Most is -1 where there is no end.</summary>
    Repeat,
    /// <summary>The rule of number Least, without its empty text where <see cref="Expression.IsNullable"/> is false.</summary>
    Call,
    /// <summary>Texts of all items (regular).</summary>
    All,
    /// <summary>Byte strings that first does not take (regular).</summary>
    Not,
    /// <summary>The special token of number Least.</summary>
    Special,
}

/// <summary>
/// What may follow, as a regular expression over bytes with calls of rules. Made by an <see cref="ExpressionTable"/> only, so that equal ones are one
/// object; immutable but for what is remembered about it.
/// </summary>
internal sealed class Expression
{
    private SearchValues<byte>? members;

    public required int Id { get; init; }

    public required ExpressionKind Kind { get; init; }

    /// <summary>Whether the empty text belongs to it.</summary>
    public bool IsNullable { get; init; }

    /// <summary>How many steps looking for its first bytes takes, up to a limit.</summary>
    public int Spread { get; init; }

    public Expression First { get; init; } = null!;

    public Expression Second { get; init; } = null!;

    /// <summary>Alternatives or parts, by ascending id; of bytes: what each range leads to.</summary>
    public Expression[] Items { get; init; } = [];

    public byte[] Lows { get; init; } = [];

    public byte[] Highs { get; init; } = [];

    public int Least { get; init; }

    public int Most { get; init; }

    /// <summary>Of All and Not: what is left behind a byte of each class, as far as it was asked for.</summary>
    public Expression?[]? Derivatives { get; set; }

    /// <summary>Of All and Not: whether no text belongs to it; null until it was found out.</summary>
    public bool? IsVoid { get; set; }

    /// <summary>With what its texts begin, once it was asked for.</summary>
    public Beginnings? Beginnings { get; set; }

    /// <summary>Of bytes: which they are.</summary>
    public SearchValues<byte> Members
    {
        get
        {
            if (members is not null) return members;
            var all = new List<byte>();
            for (var i = 0; i < Lows.Length; i++)
                for (int value = Lows[i]; value <= Highs[i]; value++) all.Add((byte)value);
            return members = SearchValues.Create([.. all]);
        }
    }

    /// <summary>Of bytes: what a byte leads to, or null.</summary>
    public Expression? Target(byte value)
    {
        var (low, high) = (0, Lows.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (value < Lows[middle]) high = middle - 1;
            else if (value > Highs[middle]) low = middle + 1;
            else return Items[middle];
        }
        return null;
    }

    /// <summary>Of bytes: adds them to bits, four words of 64.</summary>
    public void AddTo(Span<ulong> bits)
    {
        for (var i = 0; i < Lows.Length; i++) AddRange(bits, Lows[i], Highs[i]);
    }

    /// <summary>Adds a range of bytes to bits, four words of 64.</summary>
    public static void AddRange(Span<ulong> bits, int first, int last)
    {
        for (var word = first >> 6; word <= last >> 6; word++)
        {
            var from = word == first >> 6 ? ulong.MaxValue << (first & 63) : ulong.MaxValue;
            bits[word] |= word == last >> 6 ? from & ulong.MaxValue >> (63 - (last & 63)) : from;
        }
    }

    /// <summary>Of bytes: whether one of a set is among them: those of two words of bits, and perhaps all above 127.</summary>
    public bool MayBegin(ulong low, ulong high, bool hasOthers)
    {
        for (var i = 0; i < Lows.Length; i++)
        {
            if (Highs[i] >= 128 && hasOthers) return true;
            for (int value = Lows[i]; value <= Math.Min((byte)127, Highs[i]); value++)
                if (((value < 64 ? low : high) >> (value & 63) & 1) != 0) return true;
        }
        return false;
    }
}

/// <summary>With what the texts of an expression begin, as an <see cref="Explorer"/> finds it.</summary>
/// <param name="Steps">First parts and what follows each.</param>
/// <param name="Calls">Calls and what follows each.</param>
/// <param name="Round">How often expressions had been forgotten when it was found.</param>
internal sealed record Beginnings((Expression Head, Expression Tail)[] Steps, (int Rule, Expression Tail)[] Calls, int Round);
