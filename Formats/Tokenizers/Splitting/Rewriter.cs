using Quilt.Formats.Tokenizers.Bpe;

namespace Quilt.Formats.Tokenizers.Splitting;

/// <summary>A step of pre-tokenization that changes a piece of text. Immutable.</summary>
internal abstract class Rewriter : PreTokenizerStep
{
    /// <summary>The piece rewritten: itself, or what was written to <paramref name="into"/>.</summary>
    /// <param name="piece">Valid UTF-8, not empty.</param>
    /// <param name="opens">Whether the piece starts where the whole text starts.</param>
    /// <param name="into">Memory to write to; not what <paramref name="piece"/> lies in.</param>
    public abstract ReadOnlySpan<byte> Rewrite(ReadOnlySpan<byte> piece, bool opens, Utf8Buffer into);
}

/// <summary>ByteLevel's "add_prefix_space": a piece that starts with no blank gets one.</summary>
internal sealed class PrefixSpaceRewriter : Rewriter
{
    public override ReadOnlySpan<byte> Rewrite(ReadOnlySpan<byte> piece, bool opens, Utf8Buffer into)
    {
        if (piece[0] == ' ') return piece;
        into.Clear();
        into.Add((byte)' ');
        into.Add(piece);
        return into.Text;
    }
}

/// <summary>Writes every byte as its character of the byte alphabet, where the model does not read bytes by itself.</summary>
internal sealed class ByteAlphabetRewriter : Rewriter
{
    public override ReadOnlySpan<byte> Rewrite(ReadOnlySpan<byte> piece, bool opens, Utf8Buffer into)
    {
        into.Clear();
        foreach (var value in piece) into.AddCodePoint(ByteAlphabet.Char(value));
        return into.Text;
    }
}

/// <summary>Where Metaspace puts its mark before a piece: "prepend_scheme".</summary>
internal enum PrependScheme { Always, First, Never }

/// <summary>"Metaspace" without its split: blanks become the mark, and one may be put first.</summary>
internal sealed class MetaspaceRewriter(byte[] mark, PrependScheme scheme) : Rewriter
{
    public override ReadOnlySpan<byte> Rewrite(ReadOnlySpan<byte> piece, bool opens, Utf8Buffer into)
    {
        into.Clear();
        var marked = piece[0] == ' ' || piece.StartsWith(mark);
        if (!marked && (scheme == PrependScheme.Always || scheme == PrependScheme.First && opens)) into.Add(mark);
        for (int blank; (blank = piece.IndexOf((byte)' ')) >= 0; piece = piece[(blank + 1)..])
        {
            into.Add(piece[..blank]);
            into.Add(mark);
        }
        into.Add(piece);
        return into.Text;
    }
}
