using System.Numerics;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>A set of tokens: those of another set or of some bits, and some more. Immutable.</summary>
internal sealed class TokenMask
{
    private readonly uint[]? bits;
    private readonly int[] ids;

    /// <param name="bits">Tokens as bits; shared with other masks, or null for none.</param>
    /// <param name="ids">Tokens besides, none of them among the bits.</param>
    /// <param name="count">How many there are in all.</param>
    public TokenMask(uint[]? bits, int[] ids, int count)
    {
        this.bits = bits;
        this.ids = ids;
        Count = count;
    }

    /// <summary>How many tokens are in it.</summary>
    public int Count { get; }

    /// <summary>Where there are no bits: all tokens.</summary>
    public ReadOnlySpan<int> Ids => ids;

    /// <summary>Whether <see cref="Ids"/> is all of it.</summary>
    public bool IsShort => bits is null;

    /// <summary>Roughly how much memory it takes, in bytes.</summary>
    public long Size => 64 + 4L * ids.Length + (bits is null ? 0 : 4L * bits.Length);

    /// <summary>A set of the tokens that are set in some bits.</summary>
    public static TokenMask Of(ReadOnlySpan<uint> bits, int listLimit)
    {
        var count = 0;
        foreach (var word in bits) count += BitOperations.PopCount(word);
        if (count > listLimit) return new TokenMask(bits.ToArray(), [], count);
        var ids = new int[count];
        count = 0;
        for (var i = 0; i < bits.Length; i++)
            for (var word = bits[i]; word != 0; word &= word - 1) ids[count++] = i * 32 + BitOperations.TrailingZeroCount(word);
        return new TokenMask(null, ids, count);
    }

    /// <summary>Writes it as bits: token t is bit t of 32 a word; what is behind the vocabulary is cleared.</summary>
    public void Fill(Span<uint> target)
    {
        if (bits is null) target.Clear();
        else
        {
            bits.CopyTo(target);
            target[bits.Length..].Clear();
        }
        foreach (var id in ids) target[id >> 5] |= 1u << id;
    }

    /// <summary>Whether a token is in it.</summary>
    public bool Contains(int token) => bits is not null && (bits[token >> 5] >> token & 1) != 0 || Array.IndexOf(ids, token) >= 0;
}
