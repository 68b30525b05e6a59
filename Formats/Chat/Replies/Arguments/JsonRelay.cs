using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>Reads a JSON value a piece at a time and writes it anew; strings and words as models get them wrong are taken too.</summary>
internal sealed class JsonRelay : ValueRelay
{
    private readonly JsonStringReader inside = new();

    private protected override Brackets? Opens(char first, bool isOutermost) => first switch
    {
        '{' => new('}', ':'),
        '[' => new(']', '\0'),
        _ => null,
    };

    private protected override bool IsQuote(char c) => c == '"';

    private protected override bool IsWord(char c) => c is not ('"' or ',' or ':' or '{' or '}' or '[' or ']' or '<') && !Spaces.IsSpace(c);

    private protected override bool TakesKeyWords(Brackets brackets) => false;

    private protected override bool WriteWord(string word, StringBuilder into) => JsonWord.TryWrite(word, into);

    private protected override void BeginString(char quote, StringBuilder into) => inside.Begin(into);

    private protected override int ReadString(ReadOnlySpan<char> text, out bool isOver) => inside.Read(text, out isOver);

    private protected override void CloseString() => inside.Close();
}
