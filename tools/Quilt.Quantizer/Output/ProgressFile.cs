using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary><c>progress.json</c>: what the work in a folder was begun with.</summary>
internal static class ProgressFile
{
    /// <summary>Its name.</summary>
    public const string Name = "progress.json";

    private const string Key = "made_of";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes it.</summary>
    public static void Write(string folder, Fingerprint fingerprint) => AtomicFile.Write(Path.Combine(folder, Name), stream =>
        JsonSerializer.Serialize(stream, new Dictionary<string, object> { [Key] = fingerprint.Entries }, Indented));

    /// <summary>Refuses to go on with what was begun with something else.</summary>
    /// <exception cref="BadInputException">It was; or the folder is none of such work.</exception>
    public static void Check(string folder, Fingerprint fingerprint)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            if (Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any())
                throw new BadInputException(folder, null, $"expected {Name} in a folder of unfinished work, found other files; remove it to begin");
            return;
        }
        var json = JsonText.ReadSettings(path);
        if (!json.TryGetProperty(Key, out var begun) || begun.ValueKind != JsonValueKind.Object)
            throw new BadInputException(path, Key, $"expected an object, found none; remove {folder} to begin anew");
        var before = begun.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.ToString(), StringComparer.Ordinal);
        foreach (var name in fingerprint.Entries.Keys.Union(before.Keys))
        {
            var (expected, found) = (before.GetValueOrDefault(name), fingerprint.Entries.GetValueOrDefault(name));
            if (expected == found) continue;
            throw new BadInputException(path, name, $"expected {Short(expected)}, with which the work there was begun, found {Short(found)}; " +
                $"give what it was begun with to go on, or remove {folder} to begin anew");
        }
    }

    private static string Short(string? text) => text is null ? "nothing" : text.Length <= 40 ? text : text[..12] + "…";
}
