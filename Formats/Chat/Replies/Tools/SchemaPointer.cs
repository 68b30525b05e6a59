using System.Globalization;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A reference inside a schema: a JSON pointer behind <c>#</c>, <c>#/$defs/X</c>, in which <c>~1</c> stands for a slash, <c>~0</c> for a tilde, and
/// <c>%25</c> for a percent sign. Source: RFC 6901, with its section 6.
/// </summary>
internal static class SchemaPointer
{
    /// <summary>What it points to; null where there is nothing, or it points elsewhere.</summary>
    public static JsonElement? Find(JsonElement root, string pointer)
    {
        if (!pointer.StartsWith('#')) return null;
        var path = Uri.UnescapeDataString(pointer[1..]);
        if (path.Length == 0) return root;
        if (path[0] != '/') return null;
        var at = root;
        foreach (var part in path[1..].Split('/'))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out var member)) at = member;
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && index < at.GetArrayLength()) at = at[index];
            else return null;
        }
        return at;
    }
}
