using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Quilt.Formats.Tensors;

/// <summary>
/// `model.safetensors.index.json`: which file of a folder holds which tensor. The set of files is the set of values of its `weight_map`;
/// nothing is ever concluded from how files are numbered.
/// </summary>
public sealed class ShardIndex
{
    /// <summary>The usual file name.</summary>
    public const string FileName = "model.safetensors.index.json";

    private const int MaxBytes = 100_000_000;

    /// <summary>An index to be written or looked at.</summary>
    /// <param name="weightMap">File name by tensor name.</param>
    /// <param name="totalSize">Bytes of all tensors, where known.</param>
    public ShardIndex(IReadOnlyDictionary<string, string> weightMap, long? totalSize)
    {
        WeightMap = weightMap;
        TotalSize = totalSize;
        Files = [.. weightMap.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>File name (without folder) by tensor name, as written.</summary>
    public IReadOnlyDictionary<string, string> WeightMap { get; }

    /// <summary>`metadata.total_size`; null where it is missing or no whole number. Often wrong in published files.</summary>
    public long? TotalSize { get; }

    /// <summary>The distinct files, in ordinal order.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Reads and checks an index file.</summary>
    /// <exception cref="BadInputException">Not JSON, no `weight_map`, a tensor named twice, or a file name that is more than a plain
    /// name.</exception>
    public static ShardIndex Read(string path)
    {
        var json = JsonText.ReadBytes(path, MaxBytes);
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);   // one string for each file, not for each tensor
        long? total = null;
        var hasMap = false;
        try
        {
            var reader = new Utf8JsonReader(PythonJson.ToJson(json), new JsonReaderOptions { MaxDepth = PythonJson.MaxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new BadInputException(path, null, "must be a JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("weight_map"u8))
                {
                    if (hasMap) throw new BadInputException(path, "weight_map", "is given twice");
                    hasMap = true;
                    ReadMap(ref reader, path, map, names);
                }
                else if (reader.ValueTextEquals("metadata"u8))
                {
                    total = ReadTotal(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }
            while (reader.Read()) { }
        }
        catch (JsonException e)
        {
            throw new BadInputException(path, null, $"is not valid JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException(path, null, "holds text that is not Unicode", e);
        }
        if (!hasMap) throw new BadInputException(path, "weight_map", "is missing");
        if (map.Count == 0) throw new BadInputException(path, "weight_map", "names no tensor");
        return new ShardIndex(map, total);
    }

    /// <summary>Writes the index, tensors in ordinal order, as other tools do; the file is replaced whole.</summary>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream,
            new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteStartObject("metadata");
        if (TotalSize is { } total) writer.WriteNumber("total_size", total);
        writer.WriteEndObject();
        writer.WriteStartObject("weight_map");
        foreach (var (name, file) in WeightMap.OrderBy(p => p.Key, StringComparer.Ordinal)) writer.WriteString(name, file);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static void ReadMap(ref Utf8JsonReader reader, string path, Dictionary<string, string> map, Dictionary<string, string> names)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new BadInputException(path, "weight_map", "must be an object from tensor name to file name");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var tensor = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw new BadInputException(path, tensor, "its file must be a string");
            var file = reader.GetString()!;
            if (!names.TryGetValue(file, out var known))
            {
                if (!IsPlainName(file)) throw new BadInputException(path, tensor, $"lies in \"{file}\", which is not a plain file name");
                names.Add(file, known = file);
            }
            if (map.Count == SafeTensorsHeader.MaxTensors)
                throw new BadInputException(path, "weight_map", $"names more than {SafeTensorsHeader.MaxTensors} tensors");
            if (!map.TryAdd(tensor, known) && map[tensor] != known)
                throw new BadInputException(path, tensor, $"is given twice in weight_map, in {map[tensor]} and in {known}; expected one file");
        }
    }

    private static long? ReadTotal(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }
        long? total = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = reader.ValueTextEquals("total_size"u8);
            reader.Read();
            if (wanted && reader.TokenType == JsonTokenType.Number)
                total = reader.TryGetInt64(out var whole) ? whole
                    : reader.TryGetDouble(out var real) && real is >= 0 and < 9e18 && real == Math.Floor(real) ? (long)real
                    : null;
            else reader.Skip();
        }
        return total;
    }

    // Separators and drive letters of every system are refused on every system: a checkpoint means the same everywhere.
    private static bool IsPlainName(string file) =>
        file.Length is > 0 and <= 255 && file != "." && !file.Contains("..") && file.AsSpan().IndexOfAny("/\\:\0") < 0;
}
