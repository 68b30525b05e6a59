using System.Text.Json;

namespace Quilt.Hosting.Chat;

/// <summary>Values of options that come as JSON, each read as what it has to be or refused by its name.</summary>
internal static class JsonValues
{
    public static int Whole(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) ? whole : throw Bad(name, "a whole number", value);

    public static double Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Bad(name, "a number", value);

    public static bool Flag(string name, JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(name, "true or false", value);

    public static string Text(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad(name, "a text", value);

    public static T[] List<T>(string name, JsonElement value, Func<string, JsonElement, T> read) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(one => read(name, one))] : throw Bad(name, "a list", value);

    public static JsonElement Object(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object ? value : throw Bad(name, "an object", value);

    public static ArgumentException Bad(string name, string expected, JsonElement found) =>
        new($"{name}: expected {expected}, found {(found.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? found.ValueKind : Cut(found))}.");

    private static string Cut(JsonElement found) => found.GetRawText() is { Length: > 60 } text ? $"{text[..60]}…" : found.GetRawText();
}
