namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Tokens seen as characters of one set and what comes behind them: in a state that every such character leaves as it is, all tokens of these
/// characters alone are allowed, and of the others only what comes behind counts. Immutable but for masks made when first asked for.
/// </summary>
internal sealed class TokenSlice
{
    private readonly ulong low;
    private readonly ulong high;
    private readonly int[] inside;
    private readonly byte[] characters;
    private readonly uint[]?[] masks = new uint[]?[MostCounted + 1];
    private readonly int words;

    /// <summary>A character of every slice.</summary>
    public const byte Sample = (byte)'a';

    /// <summary>Up to how many characters are counted apart.</summary>
    public const int MostCounted = 250;

    /// <param name="without">ASCII characters that are not in the set; all other characters are.</param>
    /// <param name="tokens">Tokens of text and their bytes.</param>
    /// <param name="size">The highest token plus one.</param>
    public TokenSlice(ReadOnlySpan<byte> without, List<(byte[] Bytes, int Token)> tokens, int size)
    {
        (low, high) = (ulong.MaxValue, ulong.MaxValue);
        foreach (var value in without)
        {
            if (value < 64) low &= ~(1UL << value);
            else high &= ~(1UL << value);
        }
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
        inside = [.. whole];
        Rests = new VocabularyTrie([.. rests]);
        All = Mask(inside);
    }

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

    /// <summary>Tokens of up to so many of these characters alone, as bits.</summary>
    public uint[] UpTo(int most, out int count)
    {
        if (most >= MostCounted)
        {
            count = inside.Length;
            return All;
        }
        var few = inside.Where(token => characters[token] <= most).ToArray();
        count = few.Length;
        return masks[most] ??= Mask(few);
    }

    private uint[] Mask(int[] tokens)
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
            if (System.Text.Rune.DecodeFromUtf8(bytes[at..], out _, out var used) != System.Buffers.OperationStatus.Done) return at;
            at += used;
        }
        return at;
    }
}
