using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Models;

/// <summary>WordPiece: from left to right the longest token there is; a word that cannot be written so is unknown as a whole.</summary>
internal sealed class WordPieceModel(ByteTrie tokens, byte[] prefix, int longestWord, int unknown, string source) : TokenModel
{
    // Where the tokens that go on with a word begin; None where there are none.
    private readonly int continuing = tokens.Walk(ByteTrie.Root, prefix);

    public override WordEncoder CreateEncoder() => new Encoder(this);

    private bool TryEncode(ReadOnlySpan<byte> word, List<int> ids)
    {
        // The limit counts characters, of which there are no more than bytes.
        if (word.Length > longestWord && CodePoints.Count(word) > longestWord) return false;
        for (var at = 0; at < word.Length;)
        {
            var node = at == 0 ? ByteTrie.Root : continuing;
            int id = ByteTrie.None, next = at;
            for (var end = at; node >= 0 && end < word.Length && (node = tokens.Step(node, word[end])) >= 0; end++)
                if (tokens.Value(node) is >= 0 and var found) (id, next) = (found, end + 1);
            if (id < 0) return false;
            ids.Add(id);
            at = next;
        }
        return true;
    }

    private sealed class Encoder(WordPieceModel model) : CachedEncoder
    {
        protected override void EncodeNew(ReadOnlySpan<byte> word, List<int> ids)
        {
            var first = ids.Count;
            if (model.TryEncode(word, ids)) return;
            ids.RemoveRange(first, ids.Count - first);
            ids.Add(model.Unknown());
        }
    }

    private int Unknown() => unknown >= 0 ? unknown
        : throw new BadInputException(source, ModelReader.Part, "the text has a word without tokens, and unk_token is not in the vocabulary");
}
