using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Grammars.Tags;

/// <summary>One object of a structural tag, read key by key; complaints name the place.</summary>
internal readonly struct TagJson
{
    private const string Source = "structural tag";
    private readonly JsonElement element;

    private TagJson(JsonElement element, string place) => (this.element, Place) = (element, place);

    /// <summary>Where the object stands.</summary>
    public string Place { get; }

    /// <summary>The root object of a text.</summary>
    /// <exception cref="BadInputException">The text is no JSON object.</exception>
    public static TagJson Parse(string json, int most)
    {
        if (json.Length > most) throw new BadInputException(Source, null, $"has {json.Length} characters, at most {most} are read");
        byte[] bytes;
        try
        {
            bytes = Grammar.Strict.GetBytes(json);
        }
        catch (EncoderFallbackException problem)
        {
            throw new BadInputException(Source, null, "half a surrogate pair", problem);
        }
        return new(JsonText.ParseObject(bytes, Source), "");
    }

    /// <summary>Whether a key is there, with another value than null.</summary>
    public bool Has(string key) => element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A text.</summary>
    public string Text(string key) => Get(key, JsonValueKind.String).GetString()!;

    /// <summary>A text, or null where the key is not there.</summary>
    public string? TextOrNull(string key) => Has(key) ? Text(key) : null;

    /// <summary>A value that is true or false; false where the key is not there.</summary>
    public bool Flag(string key) => Has(key) && element.GetProperty(key).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad(key, "true or false is expected"),
    };

    /// <summary>An object.</summary>
    public TagJson Object(string key) => new(Get(key, JsonValueKind.Object), $"{Place}/{key}");

    /// <summary>The objects of a list.</summary>
    public List<TagJson> Objects(string key)
    {
        var found = new List<TagJson>();
        foreach (var item in Get(key, JsonValueKind.Array).EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object) throw Bad(key, "a list of objects is expected");
            found.Add(new(item, $"{Place}/{key}/{found.Count}"));
        }
        return found;
    }

    /// <summary>The texts of a list.</summary>
    public List<string> Texts(string key)
    {
        var found = new List<string>();
        foreach (var item in Get(key, JsonValueKind.Array).EnumerateArray())
            found.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Bad(key, "a list of texts is expected"));
        return found;
    }

    /// <summary>A value as it is.</summary>
    public JsonElement Value(string key) => Has(key) ? element.GetProperty(key) : throw Bad(key, "is missing");

    /// <summary>A complaint about a key.</summary>
    public BadInputException Bad(string? key, string problem) =>
        new(Source, key is null ? Place.Length == 0 ? null : Place : $"{Place}/{key}", problem);

    private JsonElement Get(string key, JsonValueKind kind)
    {
        var value = Value(key);
        return value.ValueKind == kind ? value : throw Bad(key, $"{Name(kind)} is expected, it is {Name(value.ValueKind)}");
    }

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.String => "a text",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.Number => "a number",
        _ => "true, false or null",
    };
}
