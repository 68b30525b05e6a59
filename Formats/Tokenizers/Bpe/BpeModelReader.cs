using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Models;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>Reads a BPE "model".</summary>
internal static class BpeModelReader
{
    private const string Part = ModelReader.Part;
    private const int LongestAffix = 64;

    public static ModelFile Read(JsonElement json, bool readsBytes, string source)
    {
        if (json.Find("dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw new BadInputException(source, Part, "dropout is not supported");
        var (prefix, suffix) = (Affix(json, "continuing_subword_prefix", source), Affix(json, "end_of_word_suffix", source));
        var vocabulary = ModelReader.Vocabulary(json, source);
        var whole = json.Flag("ignore_merges", false, source, Part);
        // The parts of a word must be spelled as they would be in it, and not be looked up as words.
        var pairs = readsBytes || whole || prefix.Length + suffix.Length > 0 ? null : new List<(string Left, string Right)>();
        var model = new BpeModel
        {
            Merges = new MergeTable(Merges(json, vocabulary, prefix.Length, pairs, source)),
            Cuts = pairs is null ? null : new SafeCuts(pairs, Characters(vocabulary, "", "")),
            Spelling = readsBytes ? ReadByteSpelling(json, vocabulary, source) : ReadCharacterSpelling(json, vocabulary, prefix, suffix, source),
            WholeWords = whole ? WholeWords(vocabulary, readsBytes) : null,
        };
        return new ModelFile(model, vocabulary, vocabulary.Count);
    }

    /// <summary>Whether words can come as bytes: with a prefix or a suffix, they are spelled by their characters in the byte alphabet.</summary>
    public static bool CanReadBytes(JsonElement json, string source) =>
        Affix(json, "continuing_subword_prefix", source).Length + Affix(json, "end_of_word_suffix", source).Length == 0;

    private static string Affix(JsonElement json, string name, string source)
    {
        var affix = json.Find(name) is null ? "" : json.Text(name, source, Part);
        return affix.Length <= LongestAffix ? affix : throw new BadInputException(source, Part, $"{name} has more than {LongestAffix} characters");
    }

    private static ByteSpelling ReadByteSpelling(JsonElement json, Dictionary<string, int> vocabulary, string source)
    {
        var byteTokens = ByteTokens(json, vocabulary, source);
        var symbols = new int[256][];
        var known = new bool[256];
        for (var value = 0; value < 256; value++)
        {
            var symbol = ByteAlphabet.Char((byte)value).ToString();
            known[value] = vocabulary.TryGetValue(symbol, out var id);
            // The fallback spells the character of the alphabet, not the byte it stands for.
            int[] spelled = known[value] ? [id] : byteTokens is null ? [] : [.. Encoding.UTF8.GetBytes(symbol).Select(b => byteTokens[b])];
            symbols[value] = spelled.Contains(-1) ? [] : spelled;
        }
        var needed = symbols.Any(its => its.Length == 0);
        return new ByteSpelling(symbols, known, Unknown(json, vocabulary, needed, source), json.Flag("fuse_unk", false, source, Part));
    }

    private static CharacterSpelling ReadCharacterSpelling(JsonElement json, Dictionary<string, int> vocabulary, string prefix, string suffix,
        string source)
    {
        var tokens = new Dictionary<int, int>[4];
        for (var place = 0; place < tokens.Length; place++)
        {
            var (before, after) = ((place & 1) != 0 ? prefix : "", (place & 2) != 0 ? suffix : "");
            tokens[place] = before.Length == 0 && after.Length == 0 && place > 0 ? tokens[0] : Characters(vocabulary, before, after);
        }
        return new CharacterSpelling(
            tokens, Encoding.UTF8.GetBytes(prefix), Encoding.UTF8.GetBytes(suffix), ByteTokens(json, vocabulary, source),
            Unknown(json, vocabulary, needed: true, source), json.Flag("fuse_unk", false, source, Part));
    }

    // Tokens that are one character between a prefix and a suffix, by that character.
    private static Dictionary<int, int> Characters(Dictionary<string, int> vocabulary, string prefix, string suffix)
    {
        var characters = new Dictionary<int, int>();
        foreach (var (token, id) in vocabulary)
        {
            var length = token.Length - prefix.Length - suffix.Length;
            if (length is 1 or 2 && token.StartsWith(prefix, StringComparison.Ordinal) && token.EndsWith(suffix, StringComparison.Ordinal)
                && Rune.TryGetRuneAt(token, prefix.Length, out var rune) && rune.Utf16SequenceLength == length) characters[rune.Value] = id;
        }
        return characters;
    }

    private static int[]? ByteTokens(JsonElement json, Dictionary<string, int> vocabulary, string source) =>
        json.Flag("byte_fallback", false, source, Part) ? ModelReader.ByteTokens(vocabulary) : null;

    private static int Unknown(JsonElement json, Dictionary<string, int> vocabulary, bool needed, string source)
    {
        if (!needed || json.Find("unk_token") is null) return -1;
        return vocabulary.TryGetValue(json.Text("unk_token", source, Part), out var id) ? id
            : throw new BadInputException(source, Part, "unk_token is not in the vocabulary");
    }

    private static List<(int, int, int)> Merges(JsonElement json, Dictionary<string, int> vocabulary, int prefixLength,
        List<(string Left, string Right)>? pairs, string source)
    {
        var merges = new List<(int, int, int)>();
        foreach (var item in json.Items("merges", source, Part))
        {
            string left, right;
            if (item.ValueKind == JsonValueKind.String)
            {
                var line = item.GetString()!;
                if (line.StartsWith("#version", StringComparison.Ordinal)) continue;
                if (line.Split(' ') is not [var first, var second]) throw Bad($"expected two tokens and a blank between them, found \"{line}\"");
                (left, right) = (first, second);
            }
            else if (item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2
                && item[0].ValueKind == JsonValueKind.String
                    && item[1].ValueKind == JsonValueKind.String) (left, right) = (item[0].GetString()!, item[1].GetString()!);
            else throw Bad("expected two tokens");
            if (right.Length < prefixLength) throw Bad($"\"{right}\" is shorter than the prefix of what goes on with a word");
            merges.Add((Id(left), Id(right), Id(left + right[prefixLength..])));
            pairs?.Add((left, right));
        }
        return merges;

        int Id(string token) => vocabulary.TryGetValue(token, out var id) ? id : throw Bad($"\"{token}\" is not in the vocabulary");
        BadInputException Bad(string problem) => new(source, $"model.merges[{merges.Count}]", problem);
    }

    private static ByteTrie WholeWords(Dictionary<string, int> vocabulary, bool readsBytes)
    {
        var words = new ByteTrie();
        foreach (var (token, id) in vocabulary)
            if (token.Length > 0 && (readsBytes ? ByteAlphabet.Read(token) : Encoding.UTF8.GetBytes(token)) is { } bytes) words.Add(bytes, id);
        return words;
    }
}
