using System.IO.Compression;
using System.Text.Json;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>Tokenizer files of the conformance data, packed or not, and what they ask for.</summary>
internal static class TokenizerFiles
{
    public static string Name(string? golden) => golden is null ? "none" : Path.GetFileName(golden)[..^".golden.json".Length];

    public static byte[] Bytes(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (!path.EndsWith(".gz", StringComparison.Ordinal)) return bytes;
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress)) gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    /// <summary>What a tokenizer.json asks for beyond byte-level BPE.</summary>
    public static IReadOnlyList<string> Beyond(string path)
    {
        using var json = JsonDocument.Parse(Bytes(path));
        return [.. Beyond(json.RootElement)];
    }

    private static IEnumerable<string> Beyond(JsonElement root)
    {
        var model = root.GetProperty("model");
        var type = model.TryGetProperty("type", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString()! : "BPE";
        if (type != "BPE") yield return type;
        foreach (var key in (string[])["byte_fallback", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "dropout"])
        {
            if (model.TryGetProperty(key, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False) && !(value.ValueKind == JsonValueKind.String && value.GetString() == "")) yield return key;
        }
        string[] known = ["Split", "ByteLevel", "Sequence", "NFC", "TemplateProcessing", "BPE"];
        foreach (var part in (string[])["normalizer", "pre_tokenizer", "decoder", "post_processor"])
        {
            if (root.TryGetProperty(part, out var component)) foreach (var name in Types(component)) if (!known.Contains(name)) yield return name;
        }
        if (!root.TryGetProperty("pre_tokenizer", out var pre) || !Types(pre).Contains("ByteLevel")) yield return "pre_tokenizer";
        if (!root.TryGetProperty("decoder", out var decoder) || !Types(decoder).Contains("ByteLevel")) yield return "decoder";
        foreach (var key in (string[])["truncation", "padding"]) if (root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Object) yield return key;
    }

    private static IEnumerable<string> Types(JsonElement component)
    {
        if (component.ValueKind == JsonValueKind.Array) return component.EnumerateArray().SelectMany(Types);
        if (component.ValueKind != JsonValueKind.Object || !component.TryGetProperty("type", out var type)) return [];
        var inner = component.EnumerateObject().Where(p => p.Name is "pretokenizers" or "normalizers" or "decoders" or "processors").SelectMany(p => Types(p.Value));
        return [type.GetString()!, .. inner];
    }
}
