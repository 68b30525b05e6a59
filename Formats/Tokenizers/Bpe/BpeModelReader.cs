using System.Globalization;
using System.Text.Json;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>Reads "model", which is BPE.</summary>
internal static class BpeModelReader
{
    private const string Part = "model";

    public static (BpeModel Model, Dictionary<string, int> Vocabulary) Read(JsonElement json, string source)
    {
        var type = json.Find("type") is null && json.Find("merges") is not null ? "BPE" : json.Type(source, Part);
        if (type != "BPE") throw new BadInputException(source, Part, $"{type} is not supported, only byte-level BPE is");
        foreach (var name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (json.Find(name) is not null && json.Text(name, source, Part).Length > 0) throw new BadInputException(source, Part, $"{name} is not supported");
        if (json.Find("dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw new BadInputException(source, Part, "dropout is not supported");

        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in json.Need("vocab", JsonValueKind.Object, source, Part).EnumerateObject())
            vocabulary[entry.Name] = entry.Value.Id(source, "model.vocab");

        var merges = Merges(json, vocabulary, source);
        var fallback = json.Flag("byte_fallback", false, source, Part);
        var symbols = new int[256][];
        var unknown = new bool[256];
        for (var value = 0; value < 256; value++) symbols[value] = Symbols((byte)value, vocabulary, fallback, out unknown[value]);
        var unknownId = -1;
        if (json.Find("unk_token") is not null && unknown.Contains(true) && !vocabulary.TryGetValue(json.Text("unk_token", source, Part), out unknownId))
            throw new BadInputException(source, Part, "unk_token is not in the vocabulary");
        var model = new BpeModel
        {
            Merges = new MergeTable(merges),
            Symbols = symbols,
            IsUnknown = unknown,
            Unknown = unknownId,
            FuseUnknown = json.Flag("fuse_unk", false, source, Part),
            WholeWords = json.Flag("ignore_merges", false, source, Part) ? WholeWords(vocabulary) : null,
        };
        return (model, vocabulary);
    }

    private static int[] Symbols(byte value, Dictionary<string, int> vocabulary, bool fallback, out bool unknown)
    {
        unknown = false;
        var symbol = ByteAlphabet.Char(value).ToString();
        if (vocabulary.TryGetValue(symbol, out var id)) return [id];
        // The fallback spells the character of the alphabet, not the byte it stands for.
        if (fallback)
        {
            var spelled = System.Text.Encoding.UTF8.GetBytes(symbol)
                .Select(b => vocabulary.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), -1)).ToArray();
            if (!spelled.Contains(-1)) return spelled;
        }
        unknown = true;
        return [];
    }

    private static List<(int, int, int)> Merges(JsonElement json, Dictionary<string, int> vocabulary, string source)
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
                && item[0].ValueKind == JsonValueKind.String && item[1].ValueKind == JsonValueKind.String) (left, right) = (item[0].GetString()!, item[1].GetString()!);
            else throw Bad("expected two tokens");
            merges.Add((Id(left), Id(right), Id(left + right)));
        }
        return merges;

        int Id(string token) => vocabulary.TryGetValue(token, out var id) ? id : throw Bad($"\"{token}\" is not in the vocabulary");
        BadInputException Bad(string problem) => new(source, $"model.merges[{merges.Count}]", problem);
    }

    private static WordTable WholeWords(Dictionary<string, int> vocabulary)
    {
        var words = new WordTable(Math.Max(1, vocabulary.Count));
        foreach (var (token, id) in vocabulary)
            if (token.Length > 0 && ByteAlphabet.Read(token) is { } bytes) words.Add(bytes, [id]);
        return words;
    }
}
