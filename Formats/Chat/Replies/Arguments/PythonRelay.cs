using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads a Python literal, or a call's arguments as Python writes them, <c>(a=1, b='x')</c>, a piece at a time, and writes it as JSON. Lists and
/// tuples are lists, a key that is no string becomes one, true, false and null are taken for Python's words. Nothing is evaluated.
/// </summary>
/// <param name="isCall">Whether the outermost parentheses stand around a call's arguments, instead of a tuple.</param>
internal sealed class PythonRelay(bool isCall) : ValueRelay
{
    private static readonly Brackets arguments = new(')', '=');
    private readonly PythonStringReader inside = new();

    private protected override bool MayBeBehindString => inside.MayBeOver;

    private protected override Brackets? Opens(char first, bool isOutermost) => first switch
    {
        '{' => new('}', ':'),
        '[' => new(']', '\0'),
        '(' => isCall && isOutermost ? arguments : new(')', '\0'),
        _ => null,
    };

    private protected override bool IsQuote(char c) => c is '"' or '\'';

    private protected override bool IsWord(char c) => char.IsLetterOrDigit(c) || c is '_' or '.' or '+' or '-' || char.IsSurrogate(c);

    private protected override bool TakesKeyWords(Brackets brackets) => true;

    private protected override bool WriteWord(string word, StringBuilder into)
    {
        switch (word)
        {
            case "True" or "true": into.Append("true"); return true;
            case "False" or "false": into.Append("false"); return true;
            case "None" or "null": into.Append("null"); return true;
        }
        if (ArgumentNumber.Integer(word) is { } whole) into.Append(whole);
        else if (ArgumentNumber.Real(word) is { } real) into.Append(real);
        else
        {
            JsonString.Quote(word, into);
            return false;
        }
        return true;
    }

    private protected override void BeginString(char quote, StringBuilder into) => inside.Begin(quote, into);

    private protected override int ReadString(ReadOnlySpan<char> text, out bool isOver) => inside.Read(text, out isOver);

    private protected override void CloseString() => inside.Close();
}
