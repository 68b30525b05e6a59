namespace Quilt.Formats.Grammars.Masks;

/// <summary>A set of tokens: those of some bits, some more, and some not. Immutable.</summary>
internal sealed class TokenMask
{
    /// <summary>Up to how many tokens are kept as a list.</summary>
    public const int ListLimit = 1024;

    private readonly uint[]? bits;
    private readonly int[] added;
    private readonly int[] removed;

    /// <param name="bits">Tokens as bits; shared with other masks, or null for none.</param>
    /// <param name="added">Tokens besides, none of them among the bits.</param>
    /// <param name="removed">Tokens of the bits that are not in it.</param>
    /// <param name="count">How many there are in all.</param>
    public TokenMask(uint[]? bits, int[] added, int[] removed, int count)
    {
        (this.bits, this.added, this.removed) = (bits, added, removed);
        Count = count;
    }

    /// <summary>How many tokens are in it.</summary>
    public int Count { get; }

    /// <summary>Tokens besides the bits; where there are no bits: all.</summary>
    public ReadOnlySpan<int> Added => added;

    /// <summary>Whether <see cref="Added"/> is all of it.</summary>
    public bool IsShort => bits is null;

    /// <summary>Roughly how much memory it takes, in bytes, as if nothing were shared.</summary>
    public long Size => 100 + 4L * (added.Length + removed.Length) + (bits is null ? 0 : 4L * bits.Length);

    /// <summary>This one with more tokens and without some.</summary>
    /// <param name="more">Tokens that are not in it.</param>
    /// <param name="less">Tokens that are in it.</param>
    /// <param name="scratch">Bits for all tokens, clear before and after.</param>
    public TokenMask With(List<int> more, List<int> less, uint[] scratch)
    {
        if (more.Count == 0 && less.Count == 0) return this;
        foreach (var token in less) scratch[token >> 5] |= 1u << token;
        var kept = new List<int>(added.Length + more.Count);
        foreach (var token in added)
            if ((scratch[token >> 5] >> token & 1) == 0) kept.Add(token);
        foreach (var token in less) scratch[token >> 5] &= ~(1u << token);
        kept.AddRange(more);
        int[] off = bits is null ? [] : [.. removed, .. less.Where(IsBit)];
        return new TokenMask(bits, [.. kept], off, Count + more.Count - less.Count);
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
        foreach (var id in removed) target[id >> 5] &= ~(1u << id);
        foreach (var id in added) target[id >> 5] |= 1u << id;
    }

    /// <summary>Whether a token is in it.</summary>
    public bool Contains(int token) => IsBit(token) && Array.IndexOf(removed, token) < 0 || Array.IndexOf(added, token) >= 0;

    private bool IsBit(int token) => bits is not null && (bits[token >> 5] >> token & 1) != 0;
}
