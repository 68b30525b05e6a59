namespace Quilt.Formats.Tokenizers;

/// <summary>Which tokens decoding leaves out: none, or the special ones but for a few.</summary>
internal sealed class SkippedTokens(Tokenizer tokenizer, bool special, IReadOnlySet<int>? kept)
{
    public bool Contains(int id) => special && tokenizer.IsSpecial(id) && kept?.Contains(id) != true;
}
