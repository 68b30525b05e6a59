using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Tokenizers.Models;

/// <summary>Reads a Unigram "model": a list of tokens and their scores.</summary>
internal static class UnigramModelReader
{
    // What the library takes off the worst score for a character without a token.
    private const double UnknownPenalty = 10;

    public static ModelFile Read(JsonElement json, string source)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var trie = new ByteTrie();
        var scores = new List<double>();
        foreach (var item in json.Items("vocab", source, ModelReader.Part))
        {
            if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2 || item[0].ValueKind != JsonValueKind.String
                || item[1].ValueKind != JsonValueKind.Number || !item[1].TryGetDouble(out var score))
                throw new BadInputException(source, $"model.vocab[{scores.Count}]", "expected a token and its score");
            if (scores.Count == TokenizerReader.IdLimit)
                throw new BadInputException(source, "model.vocab", $"it has more than {TokenizerReader.IdLimit} tokens");
            var token = item[0].GetString()!;
            // Of two with the same text the last one counts.
            vocabulary[token] = scores.Count;
            if (token.Length > 0) trie.Add(Encoding.UTF8.GetBytes(token), scores.Count);
            scores.Add(score);
        }
        var unknown = json.Find("unk_id") is { } id ? id.Id(source, "model.unk_id") : -1;
        if (unknown >= scores.Count) throw new BadInputException(source, "model.unk_id", $"{unknown} is not in the vocabulary");
        var model = new UnigramModel
        {
            Tokens = trie,
            Scores = [.. scores],
            UnknownScore = (scores.Count == 0 ? double.PositiveInfinity : scores.Min()) - UnknownPenalty,
            Unknown = unknown,
            ByteTokens = json.Flag("byte_fallback", false, source, ModelReader.Part) ? ModelReader.ByteTokens(vocabulary) : null,
            Source = source,
        };
        return new ModelFile(model, vocabulary, scores.Count);
    }
}
