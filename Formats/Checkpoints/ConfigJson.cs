using System.Text.Json;

namespace Quilt.Formats.Checkpoints;

/// <summary>Typed, checked access to one JSON object of a settings file; every complaint names the file and the key.</summary>
internal readonly struct ConfigJson(JsonElement element, string source, string prefix = "")
{
    public string Source => source;

    public JsonElement Element => element;

    /// <summary>The key with the path of the object it is in.</summary>
    public string Path(string key) => prefix + key;

    public BadInputException Bad(string key, string problem) => new(source, Path(key), problem);

    /// <summary>A value that is there and not null. A key that stands twice must say the same both times.</summary>
    public JsonElement? Find(string key)
    {
        if (!element.TryGetProperty(key, out var value)) return null;
        foreach (var property in element.EnumerateObject())
        {
            if (property.NameEquals(key) && property.Value.GetRawText() != value.GetRawText())
                throw Bad(key, $"is given twice, as {Short(property.Value)} and as {Short(value)}; expected one value");
        }
        return value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public string? Text(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Text(key, value),
        { } value => throw Bad(key, $"expected a text, found {Short(value)}"),
    };

    /// <summary>What a string says; <paramref name="key"/> is for the complaint if that is not Unicode.</summary>
    public string Text(string key, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Bad(key, $"expected Unicode, found half a surrogate pair in {Short(value)}");
        }
    }

    public bool? Flag(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Bad(key, $"expected true or false, found {Short(value)}"),
    };

    /// <summary>A whole number; written as 128 or 128.0.</summary>
    public long? Whole(string key, long min, long max)
    {
        if (Find(key) is not { } value) return null;
        long whole = 0;
        var isWhole = value.ValueKind == JsonValueKind.Number
            && (value.TryGetInt64(out whole)
                || (value.TryGetDouble(out var real) && real == Math.Floor(real) && Math.Abs(real) < 9e15 && (whole = (long)real) == real));
        if (!isWhole || whole < min || whole > max) throw Bad(key, $"expected a whole number from {min} to {max}, found {Short(value)}");
        return whole;
    }

    public int Need(string key, int max) => (int)(Whole(key, 1, max) ?? throw Bad(key, $"is missing; expected a whole number from 1 to {max}"));

    /// <summary>A finite number.</summary>
    public double? Real(string key, double min, double max)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var real) || !(real >= min && real <= max))
            throw Bad(key, string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"expected a number from {min} to {max}, found {Short(value)}"));
        return real;
    }

    public ConfigJson? Object(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new ConfigJson(value, source, $"{Path(key)}."),
        { } value => throw Bad(key, $"expected an object, found {Short(value)}"),
    };

    /// <summary>The items of a list; empty where there is none.</summary>
    public IReadOnlyList<JsonElement> List(string key) => Find(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } value => [.. value.EnumerateArray()],
        { } value => throw Bad(key, $"expected a list, found {Short(value)}"),
    };

    public IReadOnlyList<string> Texts(string key)
    {
        var self = this;
        return [.. List(key).Select(item => item.ValueKind == JsonValueKind.String
            ? self.Text(key, item)
            : throw self.Bad(key, $"expected a list of texts, found {Short(item)} in it"))];
    }

    /// <summary>Token ids: a number or a list of them; empty where there are none.</summary>
    public IReadOnlyList<int> Ids(string key)
    {
        if (Find(key) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) return [(int)Whole(key, 0, int.MaxValue)!.Value];
        var self = this;
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id) && id >= 0 ? id
            : throw self.Bad(key, $"expected a list of token ids, found {Short(item)} in it"))];
    }

    public static string Short(JsonElement value)
    {
        var text = PythonJson.Show(value).ReplaceLineEndings(" ");
        return text.Length <= 60 ? text : text[..60] + "…";
    }
}
