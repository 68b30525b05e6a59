using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads one JSON value, a piece at a time, and writes it anew as it comes, with Python's separators, so that what is written so far and what
/// <see cref="Close"/> adds is always valid JSON. Of equal keys of an object the first counts: its value may have been passed on already. Lenient
/// where that loses nothing: a comma may trail, a bare word is a string, and so is a number that JSON's readers cannot hold. Whatever else is no
/// JSON, or nested deeper than <see cref="MaxDepth"/>, breaks it. Time is linear in the text.
/// </summary>
internal sealed class JsonRelay
{
    /// <summary>
    /// Objects and lists in one another, at most: what System.Text.Json reads by default, less what a message puts around a call's arguments.
    /// </summary>
    public const int MaxDepth = 56;

    private readonly JsonStringReader inside = new();
    private readonly StringBuilder key = new();              // as it is written inside its quotes
    private readonly StringBuilder word = new();             // a number, true, false, null, or what is none
    private readonly StringBuilder unwanted = new();         // the value of a key that was there before
    private readonly Level[] levels = new Level[MaxDepth + 1];
    private StringBuilder target = new();
    private int depth;
    private int unwantedFrom;                                // depth at which an unwanted value stands; −1: there is none
    private At at;

    private enum At
    {
        Value,
        FirstItem,                                           // or the list's end
        Key,                                                 // or the object's end
        InKey,
        Colon,
        InString,
        InWord,
        BehindValue,
        Done,
        Broken,
    }

    public bool IsDone => at == At.Done;

    /// <summary>The next character does not belong here.</summary>
    public bool IsBroken => at == At.Broken;

    public bool IsInString => at is At.InString or At.InKey;

    private StringBuilder Into => unwantedFrom >= 0 ? unwanted : target;

    /// <summary>A value is to come; it goes to <paramref name="into"/>.</summary>
    public void Begin(StringBuilder into)
    {
        (target, depth, unwantedFrom, at) = (into, 0, -1, At.Value);
        Array.Clear(levels);
        unwanted.Clear();
    }

    /// <summary>Reads until the value is over or broken.</summary>
    /// <returns>How many characters were taken; what follows a value, and what broke it, is not.</returns>
    public int Read(ReadOnlySpan<char> text)
    {
        var taken = 0;
        while (taken < text.Length && at < At.Done)
        {
            if (at is At.InString or At.InKey) taken += ReadString(text[taken..]);
            else if (at == At.InWord && !IsWord(text[taken])) EndWord();
            else if (Take(text[taken])) taken++;
            else at = At.Broken;
        }
        return taken;
    }

    /// <summary>The text ends here: closes what is open. A value that had not begun is null.</summary>
    public void Close()
    {
        if (at == At.InString)
        {
            inside.Close();
            EndString();
        }
        else if (at == At.InWord) EndWord();
        else if (depth == 0 && at != At.Done) target.Append("null");
        while (depth > 0) Leave();
        at = At.Done;
    }

    private int ReadString(ReadOnlySpan<char> text)
    {
        var taken = inside.Read(text, out var isOver);
        if (!isOver) return taken;
        if (at == At.InString) EndString();
        else at = At.Colon;
        return taken;
    }

    private bool Take(char c)
    {
        if (Spaces.IsSpace(c)) return true;
        switch (at)
        {
            case At.Value or At.FirstItem when c is '{' or '[':
                return Enter(c == '{');
            case At.Value or At.FirstItem when c == ']' && depth > 0 && !levels[depth].IsObject:
            case At.Key when c == '}':
                Leave();
                return true;
            case At.Value or At.FirstItem when c == '"':
                Item();
                Into.Append('"');
                inside.Begin(Into);
                at = At.InString;
                return true;
            case At.Value or At.FirstItem when IsWord(c):
                word.Clear().Append(c);
                at = At.InWord;
                return true;
            case At.InWord:
                word.Append(c);
                return true;
            case At.Key when c == '"':
                inside.Begin(key.Clear());
                at = At.InKey;
                return true;
            case At.Colon when c == ':':
                at = At.Value;
                return true;
            case At.BehindValue when c == ',':
                at = levels[depth].IsObject ? At.Key : At.Value;
                return true;
            case At.BehindValue when c == (levels[depth].IsObject ? '}' : ']'):
                Leave();
                return true;
            default:
                return false;
        }
    }

    // What a value stands behind is written when the value begins, so that an object never ends in a key.
    private void Item()
    {
        if (depth == 0) return;
        ref var level = ref levels[depth];
        if (level.IsObject)
        {
            level.Keys ??= new(StringComparer.Ordinal);
            if (!level.Keys.Add(key.ToString()) && unwantedFrom < 0) unwantedFrom = depth;
        }
        if (level.HasItems) Into.Append(", ");
        if (level.IsObject) Into.Append('"').Append(key).Append("\": ");
        level.HasItems = true;
    }

    private void Behind()
    {
        at = depth == 0 ? At.Done : At.BehindValue;
        if (unwantedFrom != depth || depth == 0) return;
        unwantedFrom = -1;
        unwanted.Clear();
    }

    private bool Enter(bool isObject)
    {
        if (depth == MaxDepth) return false;
        Item();
        Into.Append(isObject ? '{' : '[');
        levels[++depth] = new Level { IsObject = isObject };
        at = isObject ? At.Key : At.FirstItem;
        return true;
    }

    private void Leave()
    {
        Into.Append(levels[depth].IsObject ? '}' : ']');
        levels[depth--] = default;
        Behind();
    }

    private void EndString()
    {
        Into.Append('"');
        Behind();
    }

    private void EndWord()
    {
        Item();
        JsonWord.Write(word.ToString(), Into);
        Behind();
    }

    private static bool IsWord(char c) => c is not ('"' or ',' or ':' or '{' or '}' or '[' or ']' or '<') && !Spaces.IsSpace(c);

    private struct Level
    {
        public bool IsObject;
        public bool HasItems;
        public HashSet<string>? Keys;
    }
}
