namespace Quilt.Formats.Tokenizers.Models;

/// <summary>WordLevel: a word is a token, or unknown.</summary>
internal sealed class WordLevelModel(ByteTrie tokens, int unknown, string source) : TokenModel
{
    public override WordEncoder CreateEncoder() => new Encoder(this);

    private int Id(ReadOnlySpan<byte> word)
    {
        if (tokens.Find(word) is >= 0 and var id) return id;
        return unknown >= 0
            ? unknown
            : throw new BadInputException(source, ModelReader.Part, "the text has a word without a token, and unk_token is not in the vocabulary");
    }

    private sealed class Encoder(WordLevelModel model) : WordEncoder
    {
        public override void Encode(ReadOnlySpan<byte> word, List<int> ids) => ids.Add(model.Id(word));
    }
}
