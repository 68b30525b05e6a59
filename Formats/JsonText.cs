using System.Text.Json;
using System.Text.Unicode;

namespace Quilt.Formats;

/// <summary>JSON read with limits: of size, of depth, and nothing that is not Unicode.</summary>
internal static class JsonText
{
    private const int MaxDepth = 64;

    /// <summary>A file's bytes without a byte order mark.</summary>
    public static byte[] ReadBytes(string path, int maxBytes)
    {
        try
        {
            using var handle = File.OpenHandle(path);
            var length = RandomAccess.GetLength(handle);
            if (length > maxBytes) throw new BadInputException(path, null, $"has {length} bytes, at most {maxBytes} are read");
            var bytes = new byte[length];
            var read = 0;
            while (read < length)
            {
                var got = RandomAccess.Read(handle, bytes.AsSpan(read), read);
                if (got == 0) throw new BadInputException(path, null, "the file ended early");
                read += got;
            }
            if (!Utf8.IsValid(bytes)) throw new BadInputException(path, null, "is not UTF-8");
            return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new BadInputException(path, null, e is FileNotFoundException or DirectoryNotFoundException
                ? "no such file"
                : $"cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// The root object of a settings file, as Python reads it (<see cref="PythonJson"/>): names may stand twice, and a string may hold half a
    /// surrogate pair.
    /// </summary>
    public static JsonElement ReadSettings(string path, int maxBytes = 16 << 20) => ParseSettings(ReadBytes(path, maxBytes), path);

    /// <inheritdoc cref="ReadSettings"/>
    public static JsonElement ParseSettings(byte[] text, string source)
    {
        try
        {
            return Root(PythonJson.ToJson(text), source, new JsonDocumentOptions { MaxDepth = PythonJson.MaxDepth });
        }
        catch (JsonException e)
        {
            throw new BadInputException(source, null, $"is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>The root object of a text without duplicate keys; after this every string in it can be taken without failing.</summary>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> json, string source) => ParseObject(json, source, MaxDepth);

    /// <summary>The same with a depth of its own.</summary>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> json, string source, int maxDepth)
    {
        try
        {
            if (!Utf8.IsValid(json.Span)) throw new BadInputException(source, null, "is not UTF-8");
            CheckStrings(json.Span, maxDepth);
            return Root(json, source, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new BadInputException(source, null, $"is not valid JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException(source, null, "holds text that is not Unicode", e);
        }
    }

    private static JsonElement Root(ReadOnlyMemory<byte> json, string source, JsonDocumentOptions options)
    {
        using var document = JsonDocument.Parse(json, options);
        if (document.RootElement.ValueKind != JsonValueKind.Object) throw new BadInputException(source, null, "must be a JSON object");
        return document.RootElement.Clone();
    }

    // An escape can spell half of a surrogate pair, on which JsonElement would fail only when it is read.
    private static void CheckStrings(ReadOnlySpan<byte> json, int maxDepth)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.GetString();
        }
    }
}
