using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads one value of a language's literals, a piece at a time, and writes it as JSON as it comes, with Python's separators, so that what is written
/// so far and what <see cref="Close"/> adds is always valid JSON. Of equal keys of an object the first counts: its value may have been passed on
/// already. Lenient where that loses nothing: a comma may trail, a bare word is a string, and so is a number that JSON's readers cannot hold.
/// Whatever else is no value, or nested deeper than <see cref="MaxDepth"/>, breaks it. Time is linear in the text.
/// </summary>
internal abstract class ValueRelay
{
    /// <summary>
    /// Objects and lists in one another, at most: what System.Text.Json reads by default, less what a message puts around a call's arguments.
    /// </summary>
    public const int MaxDepth = 56;

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
        InKeyWord,
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

    /// <summary>Whether the next character is a string's, for certain.</summary>
    public bool IsInString => at is At.InString or At.InKey && !MayBeBehindString;

    /// <summary>Whether all of it is what the language means by it; false where a word was taken for a string.</summary>
    public bool IsExact { get; private set; }

    private StringBuilder Into => unwantedFrom >= 0 ? unwanted : target;

    /// <summary>A value is to come; it goes to <paramref name="into"/>.</summary>
    public void Begin(StringBuilder into)
    {
        (target, depth, unwantedFrom, at, IsExact) = (into, 0, -1, At.Value, true);
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
            else if (at is At.InWord or At.InKeyWord && !IsWord(text[taken])) EndWord();
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
            CloseString();
            EndString();
        }
        else if (at == At.InWord) EndWord();
        else if (depth == 0 && at != At.Done) target.Append("null");
        while (depth > 0) Leave();
        at = At.Done;
    }

    /// <summary>In a string: whether it may be over, as what follows will tell.</summary>
    private protected virtual bool MayBeBehindString => false;

    /// <summary>What <paramref name="first"/> opens, if it opens something here; <paramref name="isOutermost"/>: nothing is around it.</summary>
    private protected abstract Brackets? Opens(char first, bool isOutermost);

    private protected abstract bool IsQuote(char c);

    private protected abstract bool IsWord(char c);

    /// <summary>Whether a key may be a word, without quotes.</summary>
    private protected abstract bool TakesKeyWords(Brackets brackets);

    /// <summary>Writes a word as JSON; false where it is none of the language's and becomes a string.</summary>
    private protected abstract bool WriteWord(string word, StringBuilder into);

    /// <summary>A string's first quote was seen; its text goes to <paramref name="into"/>, without quotes.</summary>
    private protected abstract void BeginString(char quote, StringBuilder into);

    /// <summary>Reads up to the string's end; <paramref name="isOver"/> says that it was met.</summary>
    private protected abstract int ReadString(ReadOnlySpan<char> text, out bool isOver);

    /// <summary>The text ends inside the string.</summary>
    private protected abstract void CloseString();

    private int ReadString(ReadOnlySpan<char> text)
    {
        var taken = ReadString(text, out var isOver);
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
            case At.Value or At.FirstItem when Opens(c, depth == 0) is { } brackets:
                return Enter(brackets);
            case At.Value or At.FirstItem when depth > 0 && c == levels[depth].Brackets.End && !levels[depth].Brackets.IsObject:
            case At.Key when c == levels[depth].Brackets.End:
                Leave();
                return true;
            case At.Value or At.FirstItem when IsQuote(c):
                Item();
                Into.Append('"');
                BeginString(c, Into);
                at = At.InString;
                return true;
            case At.Value or At.FirstItem when IsWord(c):
                word.Clear().Append(c);
                at = At.InWord;
                return true;
            case At.InWord or At.InKeyWord:
                word.Append(c);
                return true;
            case At.Key when IsQuote(c):
                BeginString(c, key.Clear());
                at = At.InKey;
                return true;
            case At.Key when IsWord(c) && TakesKeyWords(levels[depth].Brackets):
                word.Clear().Append(c);
                at = At.InKeyWord;
                return true;
            case At.Colon when c == levels[depth].Brackets.Colon:
                at = At.Value;
                return true;
            case At.BehindValue when c == ',':
                at = levels[depth].Brackets.IsObject ? At.Key : At.Value;
                return true;
            case At.BehindValue when c == levels[depth].Brackets.End:
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
        if (level.Brackets.IsObject)
        {
            level.Keys ??= new(StringComparer.Ordinal);
            if (!level.Keys.Add(key.ToString()) && unwantedFrom < 0) unwantedFrom = depth;
        }
        if (level.HasItems) Into.Append(", ");
        if (level.Brackets.IsObject) Into.Append('"').Append(key).Append("\": ");
        level.HasItems = true;
    }

    private void Behind()
    {
        at = depth == 0 ? At.Done : At.BehindValue;
        if (unwantedFrom != depth || depth == 0) return;
        unwantedFrom = -1;
        unwanted.Clear();
    }

    private bool Enter(Brackets brackets)
    {
        if (depth == MaxDepth) return false;
        Item();
        Into.Append(brackets.IsObject ? '{' : '[');
        levels[++depth] = new Level { Brackets = brackets };
        at = brackets.IsObject ? At.Key : At.FirstItem;
        return true;
    }

    private void Leave()
    {
        Into.Append(levels[depth].Brackets.IsObject ? '}' : ']');
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
        if (at == At.InKeyWord)
        {
            var inside = new JsonString(key.Clear());
            inside.Append(word.ToString());
            inside.End();
            at = At.Colon;
            return;
        }
        Item();
        IsExact &= WriteWord(word.ToString(), Into);
        Behind();
    }

    private struct Level
    {
        public Brackets Brackets;
        public bool HasItems;
        public HashSet<string>? Keys;
    }
}

/// <summary>What stands around values, and in it.</summary>
/// <param name="End">What ends it.</param>
/// <param name="Colon">What stands between a key and its value; 0 where there are no keys.</param>
internal readonly record struct Brackets(char End, char Colon)
{
    public bool IsObject => Colon != 0;
}
