using System.Text.Json;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>The cases of one file of ../shared/cases/structured.</summary>
internal static class StructuredCases
{
    /// <summary>The cases of a file by name; one null where the file is missing.</summary>
    public static IEnumerable<TestCaseData> Of(string file)
    {
        var path = Path.Combine(Shared.Root, "cases", "structured", file);
        if (!File.Exists(path)) return [new TestCaseData(default(JsonElement)).SetArgDisplayNames("missing")];
        using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 256 });
        return [.. document.RootElement.GetProperty("cases").EnumerateArray()
            .Select(one => new TestCaseData(one.Clone()).SetArgDisplayNames(one.GetProperty("name").GetString()!))];
    }

    /// <summary>Skips the test where the file is missing.</summary>
    public static void Require(JsonElement one)
    {
        if (one.ValueKind == JsonValueKind.Undefined) Shared.Require(null);
    }

    /// <summary>The bytes of a text or of hexadecimal digits.</summary>
    public static byte[] Bytes(JsonElement one, string text, string hex) => one.TryGetProperty(hex, out var digits)
        ? Convert.FromHexString(digits.GetString()!)
        : System.Text.Encoding.UTF8.GetBytes(one.GetProperty(text).GetString()!);

    /// <summary>A value that is true, false or not there.</summary>
    public static bool? Flag(JsonElement one, string name) =>
        one.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
}
