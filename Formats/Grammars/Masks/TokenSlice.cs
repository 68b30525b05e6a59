using System.Numerics;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Tokens seen as characters of one set and what comes behind them: in a state that every such character leaves as it is, all tokens of these
/// characters alone are allowed, and of the others only what comes behind counts. Immutable but for masks made when first asked for, which any thread
/// may do.
/// </summary>
internal sealed class TokenSlice
{
    private readonly ulong low;
    private readonly ulong high;
    private readonly int[] inside;
    private readonly byte[] characters;
    private readonly uint[]?[] masks = new uint[]?[MostCounted + 1];
    private readonly int[] countsUpTo = new int[MostCounted + 1];
    private readonly int words;

    /// <summary>Up to how many characters are counted apart.</summary>
    public const int MostCounted = 250;

    private TokenSlice(ulong low, ulong high, bool hasOthers, List<(byte[] Bytes, int Token)> tokens, int size)
    {
        (this.low, this.high, HasOthers) = (low, high, hasOthers);
        Sample = low != 0 ? (byte)BitOperations.TrailingZeroCount(low) : (byte)(64 + BitOperations.TrailingZeroCount(high));
        characters = new byte[size];
        words = (size + 31) / 32;
        var whole = new List<int>();
        var rests = new List<(byte[], int)>();
        foreach (var (bytes, token) in tokens)
        {
            var used = Leading(bytes, out var count);
            characters[token] = (byte)Math.Min(count, 255);
            if (used == bytes.Length) whole.Add(token);
            else rests.Add((used == 0 ? bytes : bytes[used..], token));
        }
        // By how many characters they are.
        inside = [.. whole.OrderBy(token => characters[token])];
        for (int most = 0, i = 0; most <= MostCounted; most++)
        {
            while (i < inside.Length && characters[inside[i]] <= most) i++;
            countsUpTo[most] = i;
        }
        Rests = new VocabularyTrie([.. rests]);
        All = Mask(inside);
    }

    /// <summary>The slice of all characters but some of ASCII.</summary>
    /// <param name="without">ASCII characters that are not in the set.</param>
    /// <param name="tokens">Tokens of text and their bytes.</param>
    /// <param name="size">The highest token plus one.</param>
    public static TokenSlice AllBut(ReadOnlySpan<byte> without, List<(byte[] Bytes, int Token)> tokens, int size)
    {
        var (low, high) = Bits(without);
        return new(~low, ~high, hasOthers: true, tokens, size);
    }

    /// <summary>The slice of some characters of ASCII and no others.</summary>
    /// <param name="within">The characters.</param>
    /// <param name="tokens">Tokens of text and their bytes.</param>
    /// <param name="size">The highest token plus one.</param>
    public static TokenSlice Only(ReadOnlySpan<byte> within, List<(byte[] Bytes, int Token)> tokens, int size)
    {
        var (low, high) = Bits(within);
        return new(low, high, hasOthers: false, tokens, size);
    }

    /// <summary>A character of the set.</summary>
    public byte Sample { get; }

    /// <summary>Whether all characters beyond ASCII are in the set; none of them otherwise.</summary>
    public bool HasOthers { get; }

    /// <summary>What comes behind the characters, of tokens that are not these alone.</summary>
    public VocabularyTrie Rests { get; }

    /// <summary>Tokens of these characters alone, as bits.</summary>
    public uint[] All { get; }

    /// <summary>How many <see cref="All"/> are.</summary>
    public int Count => inside.Length;

    /// <summary>ASCII characters of the set: bit b of 128.</summary>
    public (ulong Low, ulong High) Ascii => (low, high);

    /// <summary>How many characters of the set a token begins with; 255 for that many or more.</summary>
    public int Characters(int token) => characters[token];

    /// <summary>Tokens of up to so many of these characters alone.</summary>
    public ReadOnlySpan<int> Inside(int most) => most >= MostCounted ? inside : inside.AsSpan(0, countsUpTo[most]);

    /// <summary>Tokens of these characters alone that have more.</summary>
    public ReadOnlySpan<int> Beyond(int most) => most >= MostCounted ? [] : inside.AsSpan(countsUpTo[most]);

    /// <summary>Tokens of up to so many of these characters alone, as bits.</summary>
    public uint[] UpTo(int most, out int count)
    {
        if (most >= MostCounted)
        {
            count = inside.Length;
            return All;
        }
        count = countsUpTo[most];
        if (masks[most] is { } known) return known;
        if (count < inside.Length / 2) return masks[most] = Mask(inside.AsSpan(0, count));
        var bits = (uint[])All.Clone();
        foreach (var token in inside.AsSpan(count)) bits[token >> 5] &= ~(1u << token);
        return masks[most] = bits;
    }

    private static (ulong Low, ulong High) Bits(ReadOnlySpan<byte> characters)
    {
        var (low, high) = (0UL, 0UL);
        foreach (var value in characters)
        {
            if (value < 64) low |= 1UL << value;
            else high |= 1UL << (value & 63);
        }
        return (low, high);
    }

    private uint[] Mask(ReadOnlySpan<int> tokens)
    {
        var bits = new uint[words];
        foreach (var token in tokens) bits[token >> 5] |= 1u << token;
        return bits;
    }

    // How many bytes are whole characters of the set.
    private int Leading(ReadOnlySpan<byte> bytes, out int count)
    {
        var at = 0;
        for (count = 0; at < bytes.Length; count++)
        {
            var value = bytes[at];
            if (value < 128)
            {
                if (((value < 64 ? low : high) >> (value & 63) & 1) == 0) return at;
                at++;
                continue;
            }
            if (!HasOthers || System.Text.Rune.DecodeFromUtf8(bytes[at..], out _, out var used) != System.Buffers.OperationStatus.Done) return at;
            at += used;
        }
        return at;
    }
}
