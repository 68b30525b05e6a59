using System.Globalization;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Bpe;

namespace Quilt.Formats.Tokenizers.Models;

/// <summary>Reads "model".</summary>
internal static class ModelReader
{
    public const string Part = "model";

    /// <param name="root">The file.</param>
    /// <param name="readsBytes">Whether words come as bytes (ByteLevel comes last); only BPE reads them.</param>
    /// <param name="source">The file's name.</param>
    public static ModelFile Read(JsonElement root, bool readsBytes, string source)
    {
        var json = root.Need(Part, JsonValueKind.Object, source, "tokenizer");
        return Type(json, source) switch
        {
            "BPE" => BpeModelReader.Read(json, readsBytes, source),
            "Unigram" => UnigramModelReader.Read(json, source),
            "WordPiece" => WordModelReader.ReadPieces(json, source),
            "WordLevel" => WordModelReader.ReadWords(json, source),
            var type => throw new BadInputException(source, Part, $"{type} is not supported"),
        };
    }

    /// <summary>Whether the model can read bytes.</summary>
    public static bool CanReadBytes(JsonElement root, string source)
    {
        var json = root.Need(Part, JsonValueKind.Object, source, "tokenizer");
        return Type(json, source) == "BPE" && BpeModelReader.CanReadBytes(json, source);
    }

    /// <summary>"vocab" as most models write it: ids by token.</summary>
    public static Dictionary<string, int> Vocabulary(JsonElement json, string source)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in json.Need("vocab", JsonValueKind.Object, source, Part).EnumerateObject())
            vocabulary[entry.Name] = entry.Value.Id(source, "model.vocab");
        return vocabulary;
    }

    /// <summary>The tokens of the byte fallback by byte, &lt;0x00&gt; to &lt;0xFF&gt;; -1 where the vocabulary lacks one.</summary>
    public static int[] ByteTokens(Dictionary<string, int> vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(b => vocabulary.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), -1))];

    // Older files of BPE do not say what they are.
    private static string Type(JsonElement json, string source) =>
        json.Find("type") is null && json.Find("merges") is not null ? "BPE" : json.Type(source, Part);
}
