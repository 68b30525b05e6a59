using Quilt.Formats.Grammars.Masks;
using Quilt.Formats.Tokenizers;

namespace Quilt.Formats.Grammars;

/// <summary>
/// A tokenizer's tokens, arranged so that those which a grammar allows are found quickly. Made once for a tokenizer; immutable and safe to use from
/// several threads.
/// </summary>
public sealed class GrammarVocabulary
{
    internal const int LongLength = 15;
    private readonly Tokenizer tokenizer;
    private readonly HashSet<int> ends;

    /// <summary>
    /// Arranges the tokens of a tokenizer. Special tokens are no text; added tokens that are not special are the text that they are.
    /// </summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="endTokens">Ids that end a reply: allowed where a text is complete.</param>
    public GrammarVocabulary(Tokenizer tokenizer, IEnumerable<int> endTokens)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(endTokens);
        this.tokenizer = tokenizer;
        ends = [.. endTokens.Where(id => tokenizer.Token(id) is not null)];
        EndTokens = [.. ends.Order()];
        Size = tokenizer.VocabularySize;
        var words = new List<(byte[], int)>(Size);
        for (var id = 0; id < Size; id++)
        {
            var bytes = tokenizer.Bytes(id);
            if (IsText(id)) words.Add((bytes.ToArray(), id));
        }
        Trie = new VocabularyTrie([.. words]);
        Space = TokenSlice.Only(" \t\r\n"u8, words, Size);
        Slices =
        [
            TokenSlice.AllBut(NotInJson, words, Size), TokenSlice.AllBut("<"u8, words, Size), TokenSlice.AllBut("\n"u8, words, Size), Space,
        ];
        LongTokens = [.. words.Where(word => word.Item1.Length > LongLength).OrderByDescending(word => word.Item1.Length).Select(word => word.Item2)];
    }

    // Inside of a JSON string; text up to a tag; text of one line.
    private static byte[] NotInJson { get; } = [.. Enumerable.Range(0, 32).Select(value => (byte)value), (byte)'"', (byte)'\\'];

    /// <summary>The highest id plus one.</summary>
    public int Size { get; }

    /// <summary>How many 32-bit words a mask has.</summary>
    public int MaskWords => (Size + 31) / 32;

    /// <summary>Ids that end a reply, ascending.</summary>
    public IReadOnlyList<int> EndTokens { get; }

    internal VocabularyTrie Trie { get; }

    /// <summary>The length of the longest token of text, in bytes.</summary>
    internal int Deepest => Trie.Deepest;

    /// <summary>Parts of the vocabulary that many states treat alike.</summary>
    internal TokenSlice[] Slices { get; }

    /// <summary>The part of white space, which is small: tokens of it alone are kept as a list.</summary>
    internal TokenSlice Space { get; }

    /// <summary>Tokens of more than a few bytes, longest first.</summary>
    internal int[] LongTokens { get; }

    internal bool IsEnd(int id) => ends.Contains(id);

    internal ReadOnlySpan<byte> Bytes(int id) => tokenizer.Bytes(id);

    /// <summary>Whether a token is text: neither special nor an end, and of at least one byte.</summary>
    internal bool IsText(int id) =>
        !tokenizer.IsSpecial(id) && !ends.Contains(id) && tokenizer.Bytes(id) is { IsEmpty: false, Length: <= ushort.MaxValue };

    /// <summary>The id of an added token by its content, or -1.</summary>
    internal int FindSpecial(string content) => tokenizer.TryGetId(content, out var id) ? id : -1;
}
