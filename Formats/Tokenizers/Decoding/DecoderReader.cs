using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Normalizing;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers.Decoding;

/// <summary>Reads "decoder".</summary>
internal static class DecoderReader
{
    private const string Part = "decoder";

    public static DecoderChain Read(JsonElement? component, string source)
    {
        if (component is not { } json) return new DecoderChain(null);
        var steps = new List<TokenDecoder>();
        Add(json, source, steps);
        return new DecoderChain(steps);
    }

    private static void Add(JsonElement json, string source, List<TokenDecoder> steps)
    {
        switch (json.Type(source, Part))
        {
            case "ByteLevel": steps.Add(new ByteLevelDecoder()); break;
            case "ByteFallback": steps.Add(new ByteFallbackDecoder()); break;
            case "Fuse": steps.Add(new FuseDecoder()); break;
            case "Replace": steps.Add(Replace(json, source)); break;
            case "Strip":
                steps.Add(new StripDecoder(json.Rune("content", source, Part).ToString(), json.Count("start", 0, 0, source, Part),
                    json.Count("stop", 0, 0, source, Part)));
                break;
            case "Metaspace":
                steps.Add(new MetaspaceDecoder(json.Rune("replacement", source, Part).ToString(), PreTokenizerReader.Scheme(json, source, Part)));
                break;
            case "WordPiece": steps.Add(new WordPieceDecoder(json.Text("prefix", source, Part), json.Flag("cleanup", true, source, Part))); break;
            case "BPEDecoder": steps.Add(new SuffixDecoder(json.Text("suffix", source, Part))); break;
            case "CTC":
                steps.Add(new CtcDecoder(json.Text("pad_token", source, Part), json.Text("word_delimiter_token", source, Part),
                    json.Flag("cleanup", true, source, Part)));
                break;
            case "Sequence":
                foreach (var item in json.Items("decoders", source, Part)) Add(item, source, steps);
                break;
            case var type: throw new BadInputException(source, Part, $"{type} is not supported");
        }
    }

    private static TokenDecoder Replace(JsonElement json, string source)
    {
        var content = json.Text("content", source, Part);
        return PatternReader.Read(json, source, Part, out var literal) is { } pattern
            ? new ReplaceDecoder(new PatternReplacer(pattern, Encoding.UTF8.GetBytes(content)), source)
            : new LiteralReplaceDecoder(Encoding.UTF8.GetString(literal), content);
    }
}
