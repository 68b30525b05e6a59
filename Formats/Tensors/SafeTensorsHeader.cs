using System.Text.Json;
using System.Text.Unicode;

namespace Quilt.Formats.Tensors;

/// <summary>
/// The JSON in front of a safetensors file, checked by every rule of the reference reader and by three it lacks: a name may stand only once,
/// a shape has at most 8 dimensions, and the number of tensors is bounded. Offsets of the result count from the start of the file.
/// </summary>
internal static class SafeTensorsHeader
{
    /// <summary>Longest header of the format, in bytes.</summary>
    public const int MaxBytes = 100_000_000;

    /// <summary>Most tensors in one file; the largest known checkpoints hold a fifth of it in all their files together.</summary>
    public const int MaxTensors = 1_000_000;

    private const int MaxNameLength = 4096;

    /// <summary>
    /// Parses the header's bytes; <paramref name="dataStart"/> and <paramref name="fileLength"/> are in bytes from the start of the file.
    /// </summary>
    public static (Dictionary<string, string> Metadata, Dictionary<string, TensorEntry> Tensors) Parse(
        string path, ReadOnlySpan<byte> json, long dataStart, long fileLength)
    {
        if (!Utf8.IsValid(json)) throw new BadInputException(path, "header", "the header's JSON is not UTF-8");
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var tensors = new Dictionary<string, TensorEntry>(StringComparer.Ordinal);
        var seenMetadata = false;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new BadInputException(path, "header", "the header's JSON is not an object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = Text(ref reader, path, null);
                if (name == "__metadata__")
                {
                    if (seenMetadata) throw new BadInputException(path, name, "duplicate key in the header");
                    seenMetadata = true;
                    ReadMetadata(ref reader, path, metadata);
                    continue;
                }
                if (name.Length > MaxNameLength)
                    throw new BadInputException(path, name[..64]
                        + "…", $"a tensor's name has {name.Length} characters, at most {MaxNameLength} are read");
                if (tensors.Count == MaxTensors) throw new BadInputException(path, "header", $"the header lists more than {MaxTensors} tensors");
                if (!tensors.TryAdd(name, ReadEntry(ref reader, path, name)))
                    throw new BadInputException(path, name, "duplicate tensor name in the header");
            }
            while (reader.Read()) { }   // whitespace only, or the reader throws
        }
        catch (JsonException e)
        {
            throw new BadInputException(path, "header", $"the header is not valid JSON: {e.Message}", e);
        }
        return (metadata, Place(path, tensors, dataStart, fileLength));
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, string path, Dictionary<string, string> metadata)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null) return;
        if (reader.TokenType != JsonTokenType.StartObject) throw new BadInputException(path, "__metadata__", "must be an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = Text(ref reader, path, "__metadata__");
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new BadInputException(path, "__metadata__", $"the value of \"{key}\" must be a string");
            if (!metadata.TryAdd(key, Text(ref reader, path, "__metadata__")))
                throw new BadInputException(path, "__metadata__", $"duplicate key \"{key}\"");
        }
    }

    // Offset and Length of what is returned are the two data_offsets as written; Place turns them into file positions.
    private static TensorEntry ReadEntry(ref Utf8JsonReader reader, string path, string name)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new BadInputException(path, name, "must be an object with dtype, shape and data_offsets");
        DType? type = null;
        long[]? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = Text(ref reader, path, name);
            var twice = field switch { "dtype" => type is not null, "shape" => shape is not null, "data_offsets" => offsets is not null, _ => false };
            if (twice) throw new BadInputException(path, name, $"duplicate field {field}");
            reader.Read();
            switch (field)
            {
                case "dtype":
                    if (reader.TokenType != JsonTokenType.String) throw new BadInputException(path, name, "dtype must be a string");
                    var typeName = Text(ref reader, path, name);
                    if (!DTypes.TryParse(typeName, out var parsed)) throw new BadInputException(path, name, $"unknown dtype {Short(typeName)}");
                    type = parsed;
                    break;
                case "shape":
                    shape = Integers(ref reader, path, name, field, TensorSize.MaxRank);
                    break;
                case "data_offsets":
                    offsets = Integers(ref reader, path, name, field, 2);
                    if (offsets.Length != 2) throw new BadInputException(path, name, $"data_offsets must hold two numbers, found {offsets.Length}");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (type is null) throw new BadInputException(path, name, "dtype is missing");
        if (shape is null) throw new BadInputException(path, name, "shape is missing");
        if (offsets is null) throw new BadInputException(path, name, "data_offsets is missing");
        return new TensorEntry(name, type.Value, shape, path, offsets[0], offsets[1]);
    }

    private static long[] Integers(ref Utf8JsonReader reader, string path, string name, string field, int most)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new BadInputException(path, name, $"{field} must be an array of whole numbers");
        Span<long> values = stackalloc long[most];
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (count == most) throw new BadInputException(path, name, $"{field} holds more than {most} numbers");
            if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan[0] == '-' || !reader.TryGetInt64(out values[count]))
                throw new BadInputException(path, name, $"{field} must hold whole numbers from 0 to 2^63-1");
            count++;
        }
        return values[..count].ToArray();
    }

    private static Dictionary<string, TensorEntry> Place(string path, Dictionary<string, TensorEntry> tensors, long dataStart, long fileLength)
    {
        var order = tensors.Values.ToArray();
        Array.Sort(order, static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Length.CompareTo(b.Length));
        var available = fileLength - dataStart;
        var position = 0L;
        foreach (var entry in order)
        {
            var (name, begin, end) = (entry.Name, entry.Offset, entry.Length);
            if (end < begin) throw new BadInputException(path, name, $"data_offsets end at {end}, before they begin at {begin}");
            if (begin != position)
                throw new BadInputException(path, name,
                    $"data_offsets begin at {begin}, expected {position}: tensors must follow each other without holes or overlap");
            if (!TensorSize.TryBytes(entry.Type, entry.Shape, out var bytes, out var problem)) throw new BadInputException(path, name, problem);
            if (end - begin != bytes)
                throw new BadInputException(path, name,
                    $"{entry.Type.FileName()} {entry.ShapeText} takes {bytes} bytes, data_offsets give {end - begin}");
            if (end > available)
                throw new BadInputException(path, name, $"ends at byte {end} of the data, the file holds {available}: it is truncated");
            tensors[name] = entry with { Offset = dataStart + begin, Length = bytes };
            position = end;
        }
        if (position != available)
            throw new BadInputException(path, null, $"holds {available} bytes of data after the header, the tensors cover {position}");
        return tensors;
    }

    private static string Text(ref Utf8JsonReader reader, string path, string? part)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)   // an escape that is half of a surrogate pair
        {
            throw new BadInputException(path, part ?? "header", "the header's JSON holds text that is not Unicode", e);
        }
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
