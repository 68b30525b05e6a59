using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>One schema of a document.</summary>
/// <param name="number">Counted from 0 in the document.</param>
/// <param name="pointer">Where it stands, a JSON pointer behind <c>#</c>.</param>
/// <param name="element">An object, true or false.</param>
internal sealed class SchemaNode(int number, string pointer, JsonElement element)
{
    public int Number => number;

    public string Pointer => pointer;

    public JsonElement Element => element;

    /// <summary>Whether every value meets it, or none; null where that takes a closer look.</summary>
    public bool? Always { get; } = element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => element.EnumerateObject().MoveNext() ? null : true,
    };

    public BadInputException Refusal(string keyword, string problem) => new(JsonSchemaReader.Origin, $"{pointer}/{keyword}", problem);

    public JsonElement Expect(string keyword, JsonElement value, JsonValueKind kind) => value.ValueKind == kind
        ? value
        : throw Refusal(keyword, $"expected {Name(kind)}, found {Show(value)}");

    public string Text(string keyword, JsonElement value) => Expect(keyword, value, JsonValueKind.String).GetString()!;

    /// <summary>A count: whole and not below 0; what is beyond an int is the greatest int.</summary>
    public int Count(string keyword, JsonElement value)
    {
        if (Expect(keyword, value, JsonValueKind.Number).TryGetInt32(out var count) && count >= 0) return count;
        if (JsonDecimal.Parse(value.GetRawText()) is { IsInteger: true, IsNegative: false } number)
            return number.Digits > int.MaxValue ? int.MaxValue : (int)number.Digits;
        throw Refusal(keyword, $"expected a whole number from 0 on, found {Show(value)}");
    }

    public JsonDecimal Decimal(string keyword, JsonElement value) =>
        JsonDecimal.Parse(Expect(keyword, value, JsonValueKind.Number).GetRawText())
            ?? throw Refusal(keyword, $"expected at most {JsonDecimal.MaxDigits} digits before and behind the point, found {Show(value)}");

    public IEnumerable<string> Names(string keyword, JsonElement value)
    {
        foreach (var name in Expect(keyword, value, JsonValueKind.Array).EnumerateArray()) yield return Text(keyword, name);
    }

    /// <summary>A value for a message, cut.</summary>
    public static string Show(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 60 ? text : text[..60] + "…";
    }

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        _ => "a number",
    };
}
