using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Tokenizers;

/// <summary>Fields of a tokenizer.json, each with a complaint that names it where it is missing or of another kind.</summary>
internal static class JsonFields
{
    /// <summary>A field that is there and not null.</summary>
    public static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    public static JsonElement Need(this JsonElement element, string name, JsonValueKind kind, string source, string part)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new BadInputException(source, part, $"expected an object, found {Kind(element)}");
        if (element.Find(name) is not { } value) throw new BadInputException(source, part, $"\"{name}\" is missing");
        return value.ValueKind == kind ? value : throw new BadInputException(source, part, $"\"{name}\" is {Kind(value)}, not {Word(kind)}");
    }

    public static string Text(this JsonElement element, string name, string source, string part) =>
        element.Need(name, JsonValueKind.String, source, part).GetString()!;

    public static bool Flag(this JsonElement element, string name, bool otherwise, string source, string part) => element.Find(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        var other => throw new BadInputException(source, part, $"\"{name}\" is {Kind(other.Value)}, not true or false"),
    };

    /// <summary>An id: a whole number that a table can be indexed by.</summary>
    public static int Id(this JsonElement value, string source, string part)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var id) && id is >= 0 and < TokenizerReader.IdLimit) return (int)id;
        throw new BadInputException(source, part, $"expected an id from 0 to {TokenizerReader.IdLimit - 1}, found {Short(value)}");
    }

    /// <summary>A text of one character.</summary>
    public static Rune Rune(this JsonElement element, string name, string source, string part)
    {
        var text = element.Text(name, source, part);
        return text.Length > 0 && System.Text.Rune.TryGetRuneAt(text, 0, out var rune) && rune.Utf16SequenceLength == text.Length ? rune
            : throw new BadInputException(source, part, $"\"{name}\" is \"{text}\", not one character");
    }

    /// <summary>A whole number that is not negative.</summary>
    public static int Count(this JsonElement element, string name, int otherwise, int least, string source, string part) => element.Find(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var count) && count >= least => count,
        var other => throw new BadInputException(source, part, $"\"{name}\" is {Short(other.Value)}, not a whole number from {least} on"),
    };

    /// <summary>The "type" of a component.</summary>
    public static string Type(this JsonElement component, string source, string part) => component.Text("type", source, part);

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name, string source, string part) =>
        element.Need(name, JsonValueKind.Array, source, part).EnumerateArray();

    private static string Kind(JsonElement value) => Word(value.ValueKind);

    private static string Word(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    private static string Short(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 40 ? text : text[..40] + "...";
    }
}
