using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>Arguments that a model wrote as a JSON string with the object in it.</summary>
internal static class QuotedArguments
{
    /// <summary>Appends the object; false, and nothing appended, where the string holds anything but one object.</summary>
    /// <param name="quoted">A JSON string, quotes and all.</param>
    /// <param name="into">Where the object goes.</param>
    public static bool TryRead(StringBuilder quoted, StringBuilder into)
    {
        var start = into.Length;
        using var text = JsonDocument.Parse(quoted.ToString());
        var json = text.RootElement.GetString()!.AsSpan().Trim();
        var inside = new JsonRelay();
        inside.Begin(into);
        if (json.StartsWith("{") && inside.Read(json) == json.Length && inside.IsDone) return true;
        into.Length = start;
        return false;
    }
}
