using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Quilt.Hosting.Http;

/// <summary>
/// The fields of a request's JSON object, each checked as it is taken. A field that is missing or null is null; one of the wrong kind is refused by
/// its dotted path, and no more of it than 200 characters is told again. Fields that nobody takes are ignored.
/// </summary>
internal readonly struct Fields
{
    private const int MostEchoed = 200;
    private readonly JsonElement element;
    private readonly string path;

    /// <summary>An object's fields.</summary>
    /// <param name="element">The object.</param>
    /// <param name="path">Where it stands: <c>body</c>, <c>body.stream_options</c>.</param>
    /// <exception cref="ApiException">It is no object.</exception>
    public Fields(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Wrong(path, "an object", element);
        (this.element, this.path) = (element, path);
    }

    /// <summary>The object.</summary>
    public JsonElement Element => element;

    /// <summary>A field as it is; null where it is missing or null.</summary>
    public JsonElement? Any(string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    /// <summary>Whether the field stands there, null or not.</summary>
    public bool Has(string name) => element.TryGetProperty(name, out _);

    /// <summary>A text.</summary>
    public string? Text(string name) => Any(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, value, "a string");

    /// <summary>True or false.</summary>
    public bool? Flag(string name) => Any(name) is not { } value ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, value, "true or false"),
    };

    /// <summary>A finite number.</summary>
    public double? Number(string name) => Any(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number
        : throw Wrong(name, value, "a number");

    /// <summary>A whole number of 64 bits; 3.0 is one.</summary>
    public long? Long(string name) => Any(name) is not { } value ? null : ToLong(value) ?? throw Wrong(name, value, "an integer of 64 bits");

    /// <summary>A whole number of 32 bits.</summary>
    public int? Int(string name) => Any(name) is not { } value ? null
        : ToLong(value) is >= int.MinValue and <= int.MaxValue and var number ? (int)number : throw Wrong(name, value, "an integer of 32 bits");

    /// <summary>An object.</summary>
    public Fields? Object(string name) => Any(name) is not { } value ? null : new Fields(value, PathOf(name));

    /// <summary>A list of at most so many elements.</summary>
    public IReadOnlyList<JsonElement>? List(string name, int most)
    {
        if (Any(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, value, "a list");
        var count = value.GetArrayLength();
        return count <= most ? [.. value.EnumerateArray()]
            : throw ApiException.Bad($"{PathOf(name)}: expected at most {most} elements, found {count}.", name);
    }

    /// <summary>A list of texts, or one text alone.</summary>
    public IReadOnlyList<string>? Texts(string name, int most)
    {
        if (Any(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String) return [value.GetString()!];
        var texts = new List<string>();
        foreach (var item in List(name, most)!)
            texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong($"{name}.{texts.Count}", item, "a string"));
        return texts;
    }

    /// <summary>A list of token ids; ids that no 32 bits hold become −1, which no vocabulary has.</summary>
    public IReadOnlyList<int>? Ids(string name, int most)
    {
        if (List(name, most) is not { } list) return null;
        var ids = new int[list.Count];
        for (var i = 0; i < ids.Length; i++) ids[i] = Id(list[i]) ?? throw Wrong($"{name}.{i}", list[i], "an integer");
        return ids;
    }

    /// <summary>A token id; null where it is no whole number.</summary>
    public static int? Id(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number) return null;
        if (value.TryGetInt32(out var small)) return small;
        return value.TryGetDouble(out var number) && number == Math.Floor(number) ? number is >= 0 and <= int.MaxValue ? (int)number : -1 : null;
    }

    /// <summary>The refusal of a field.</summary>
    public ApiException Wrong(string name, JsonElement value, string expected) => Wrong(PathOf(name), expected, value);

    /// <summary>Where a field stands.</summary>
    public string PathOf(string name) => $"{path}.{name}";

    private static ApiException Wrong(string path, string expected, JsonElement found) =>
        ApiException.Bad($"1 validation error(s): {path}: expected {expected}, found {Shown(found)}.", path);

    /// <summary>A value for a message: its beginning.</summary>
    public static string Shown(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.Undefined => "nothing",
            // Not all of a text of megabytes, to show its beginning.
            JsonValueKind.String when JsonMarshal.GetRawUtf8Value(value) is { Length: > 4 * MostEchoed } letters =>
                Encoding.UTF8.GetString(letters[..(4 * MostEchoed)]).TrimEnd('\uFFFD'),
            JsonValueKind.Number when JsonMarshal.GetRawUtf8Value(value) is { Length: > MostEchoed } digits =>
                Encoding.UTF8.GetString(digits[..(MostEchoed + 1)]),
            _ => value.GetRawText(),
        };
        return Shown(text);
    }

    /// <summary>The beginning of a text, for a message.</summary>
    public static string Shown(string text)
    {
        if (text.Length <= MostEchoed) return text;
        var cut = char.IsHighSurrogate(text[MostEchoed - 1]) ? MostEchoed - 1 : MostEchoed;
        return new StringBuilder(text, 0, cut, cut + 1).Append('…').ToString();
    }

    private static long? ToLong(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number) return null;
        if (value.TryGetInt64(out var whole)) return whole;
        return value.TryGetDecimal(out var real) && real == decimal.Truncate(real) && real is >= long.MinValue and <= long.MaxValue
            ? decimal.ToInt64(real)
            : null;
    }
}
