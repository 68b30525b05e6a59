using System.Text.Json;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Packed;

/// <summary>The tag of a packed file, in its safetensors metadata (docs/packing.md).</summary>
/// <param name="Source">SHA-256 of what was packed, in hexadecimal digits.</param>
/// <param name="Digest">SHA-256 of the file's own content.</param>
/// <param name="Weights">What each weight in it is.</param>
internal sealed record PackedHeader(string Source, string Digest, IReadOnlyDictionary<string, TileForm> Weights)
{
    /// <summary>The metadata key of the layout's name: whoever has it is a packed file.</summary>
    public const string LayoutKey = "quilt.layout";

    /// <summary>The metadata key of the version of the whole form.</summary>
    public const string VersionKey = "quilt.version";

    /// <summary>The metadata key of <see cref="Source"/>.</summary>
    public const string SourceKey = "quilt.source";

    /// <summary>The metadata key of <see cref="Digest"/>.</summary>
    public const string DigestKey = "quilt.sha256";

    /// <summary>The metadata key of <see cref="Weights"/>, JSON in a text.</summary>
    public const string WeightsKey = "quilt.weights";

    /// <summary>Tiles of sixteen rows, words of 32 bits: the layout of every instruction set so far.</summary>
    public const string Layout = "tiles16-words32";

    /// <summary>The version written and read.</summary>
    public const string Version = "1";

    /// <summary>How the names of tensors begin that only fill room.</summary>
    public const string Filler = "quilt.fill.";

    /// <summary>Where every weight's tensors begin, counted from the start of the file.</summary>
    public const int Alignment = 64;

    /// <summary>Whether a file says that it is packed.</summary>
    public static bool IsIn(SafeTensorsFile file) => file.Metadata.ContainsKey(LayoutKey);

    /// <summary>The tag of a file that has one.</summary>
    /// <exception cref="BadInputException">Its layout or version is not known here, or a part of it is missing or wrong.</exception>
    public static PackedHeader Read(SafeTensorsFile file)
    {
        Expect(LayoutKey, Layout);
        Expect(VersionKey, Version);
        var weights = new Dictionary<string, TileForm>(StringComparer.Ordinal);
        try
        {
            using var json = JsonDocument.Parse(Value(WeightsKey));
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new BadInputException(file.Path, WeightsKey, $"expected an object, found {json.RootElement.ValueKind}");
            foreach (var weight in json.RootElement.EnumerateObject())
            {
                if (!weights.TryAdd(weight.Name, TileForm.Read(file.Path, weight.Name, weight.Value)))
                    throw new BadInputException(file.Path, weight.Name, $"stands twice in {WeightsKey}; expected it once");
            }
        }
        catch (JsonException e)
        {
            throw new BadInputException(file.Path, WeightsKey, $"expected JSON, found {e.Message}", e);
        }
        return new(Hash(SourceKey), Hash(DigestKey), weights);

        string Value(string key) => file.Metadata.TryGetValue(key, out var value) ? value
            : throw new BadInputException(file.Path, key, "expected this key in the metadata of a packed file, found none");

        void Expect(string key, string wanted)
        {
            if (Value(key) is var found && found != wanted)
                throw new BadInputException(file.Path, key,
                    $"expected {wanted}, the only one known here, found {Short(found)}; pack the model again");
        }

        string Hash(string key) => Value(key) is { Length: 64 } hash && hash.All(char.IsAsciiHexDigitLower) ? hash
            : throw new BadInputException(file.Path, key, $"expected 64 hexadecimal digits, found {Short(Value(key))}");
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
