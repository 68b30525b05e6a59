using System.Text.Json;
using System.Text.Json.Serialization;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Report;

namespace Quilt.Quantizer.Awq;

/// <summary>What is remembered of a layer until the result is whole.</summary>
/// <param name="Report">What is told of it; null: nothing.</param>
/// <param name="Mappings">In a match, how its scales were found.</param>
internal sealed record LayerNote(LayerReport? Report, SmoothingResult[] Mappings)
{
    private static string PathOf(string folder, int layer) => Path.Combine(folder, FormattableString.Invariant($"note-{layer}.json"));

    /// <summary>Writes it.</summary>
    public void Write(string folder, int layer) =>
        AtomicFile.Write(PathOf(folder, layer), stream => JsonSerializer.Serialize(stream, this, LayerNoteJson.Default.LayerNote));

    /// <summary>Those of all layers, in their order.</summary>
    public static IReadOnlyList<LayerNote> ReadAll(string folder, int layers) =>
    [
        .. Enumerable.Range(0, layers).Select(layer => PathOf(folder, layer)).Where(File.Exists)
            .Select(path => JsonSerializer.Deserialize(File.ReadAllBytes(path), LayerNoteJson.Default.LayerNote)!),
    ];
}

/// <summary>Notes as JSON.</summary>
[JsonSerializable(typeof(LayerNote))]
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
internal sealed partial class LayerNoteJson : JsonSerializerContext;
