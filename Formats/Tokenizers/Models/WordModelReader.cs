using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Tokenizers.Models;

/// <summary>Reads a WordPiece or WordLevel "model".</summary>
internal static class WordModelReader
{
    public static ModelFile ReadPieces(JsonElement json, string source)
    {
        var vocabulary = ModelReader.Vocabulary(json, source);
        var prefix = Encoding.UTF8.GetBytes(json.Text("continuing_subword_prefix", source, ModelReader.Part));
        var longest = json.Count("max_input_chars_per_word", 100, 0, source, ModelReader.Part);
        return new ModelFile(new WordPieceModel(Trie(vocabulary), prefix, longest, Unknown(json, vocabulary, source), source), vocabulary,
            vocabulary.Count);
    }

    public static ModelFile ReadWords(JsonElement json, string source)
    {
        var vocabulary = ModelReader.Vocabulary(json, source);
        return new ModelFile(new WordLevelModel(Trie(vocabulary), Unknown(json, vocabulary, source), source), vocabulary, vocabulary.Count);
    }

    private static ByteTrie Trie(Dictionary<string, int> vocabulary)
    {
        var trie = new ByteTrie();
        foreach (var (token, id) in vocabulary)
            if (token.Length > 0) trie.Add(Encoding.UTF8.GetBytes(token), id);
        return trie;
    }

    // One that is missing matters only to a text that needs it.
    private static int Unknown(JsonElement json, Dictionary<string, int> vocabulary, string source) =>
        vocabulary.GetValueOrDefault(json.Text("unk_token", source, ModelReader.Part), -1);
}
