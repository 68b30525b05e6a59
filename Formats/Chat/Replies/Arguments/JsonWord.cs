using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A bare word of JSON: a number, true, false or null, also as Python writes them, since models do. Anything else, and a number that readers cannot
/// hold, becomes a string.
/// </summary>
internal static class JsonWord
{
    /// <summary>Appends the word as JSON; false where it became a string.</summary>
    public static bool TryWrite(string word, StringBuilder into)
    {
        switch (word)
        {
            case "true" or "True": into.Append("true"); return true;
            case "false" or "False": into.Append("false"); return true;
            case "null" or "None": into.Append("null"); return true;
        }
        if (IsNumber(word) && ArgumentJson.TryWrite(JsonElement.Parse(word), into)) return true;
        JsonString.Quote(word, into);
        return false;
    }

    // JSON's grammar: -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
    private static bool IsNumber(ReadOnlySpan<char> word)
    {
        if (word.StartsWith("-")) word = word[1..];
        var whole = Digits(word);
        if (whole == 0 || (whole > 1 && word[0] == '0')) return false;
        word = word[whole..];
        if (word.StartsWith("."))
        {
            var fraction = Digits(word[1..]);
            if (fraction == 0) return false;
            word = word[(1 + fraction)..];
        }
        if (word.IsEmpty) return true;
        if (word[0] is not ('e' or 'E')) return false;
        word = word[1..];
        if (!word.IsEmpty && word[0] is '+' or '-') word = word[1..];
        return !word.IsEmpty && Digits(word) == word.Length;
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var other = text.IndexOfAnyExceptInRange('0', '9');
        return other < 0 ? text.Length : other;
    }
}
