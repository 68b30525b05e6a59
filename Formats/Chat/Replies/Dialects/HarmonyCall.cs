using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads a Harmony message that is to a tool: white space, arguments as an object or an object in a string, white space. Without arguments the call
/// has none; what else stands there is text.
/// </summary>
internal sealed class HarmonyCall(OpenCall call)
{
    // Characters of arguments in a string, at most: they are held until the string's end tells that they are arguments.
    private const int MaxQuoted = 1 << 20;
    private readonly JsonRelay arguments = new();
    private readonly StringBuilder quoted = new();           // arguments in a string, quotes and all
    private readonly StringBuilder held = new();             // the same as the model wrote it
    private string tool = "";
    private At at;

    private enum At
    {
        Begin,
        Arguments,
        Quoted,
        Behind,
        Text,
        Broken,
    }

    /// <summary>The message is text from here on, after <see cref="Rest"/>.</summary>
    public bool IsText => at == At.Text;

    /// <summary>The arguments broke; what follows is text.</summary>
    public bool IsBroken => at == At.Broken;

    public bool IsInString => at is At.Arguments or At.Quoted && arguments.IsInString;

    /// <summary>Whether arguments are open.</summary>
    public bool IsOpen => at is At.Arguments or At.Quoted;

    /// <summary>Whether a call was made of the message.</summary>
    public bool HasCalls { get; private set; }

    /// <summary>Text that was held and is no arguments.</summary>
    public string Rest => held.ToString();

    /// <summary>A message to <paramref name="name"/> begins.</summary>
    public void Begin(string name)
    {
        (tool, at, HasCalls) = (name, At.Begin, false);
        held.Clear();
    }

    /// <summary>More of the message; says how much was taken.</summary>
    public int Read(ReadOnlySpan<char> text)
    {
        switch (at)
        {
            case At.Arguments:
                var taken = arguments.Read(text);
                if (arguments.IsDone) EndCall(isComplete: true);
                else if (arguments.IsBroken) at = At.Broken;
                return taken;
            case At.Quoted:
                return ReadQuoted(text);
            case var _ when Spaces.IsSpace(text[0]):
                return 1;
            case At.Begin when text[0] == '{':
                TakeUp();
                arguments.Begin(call.Arguments);
                at = At.Arguments;
                return 0;
            case At.Begin when text[0] == '"':
                arguments.Begin(quoted.Clear());
                at = At.Quoted;
                return 0;
            default:
                at = At.Text;
                return 0;
        }
    }

    /// <summary>The message is over, or cut short.</summary>
    public void End(bool isComplete)
    {
        switch (at)
        {
            case At.Begin:
                TakeUp();
                call.Arguments.Append("{}");
                EndCall(isComplete);
                break;
            case At.Arguments or At.Broken:
                arguments.Close();
                EndCall(isComplete: false);
                break;
        }
    }

    private int ReadQuoted(ReadOnlySpan<char> text)
    {
        var taken = arguments.Read(text[..Math.Min(text.Length, MaxQuoted - held.Length)]);
        held.Append(text[..taken]);
        if (!arguments.IsDone)
        {
            if (held.Length == MaxQuoted) at = At.Text;
            return taken;
        }
        var whole = new StringBuilder();
        if (QuotedArguments.TryRead(quoted, whole))
        {
            held.Clear();
            TakeUp();
            call.Arguments.Append(whole);
            EndCall(isComplete: true);
        }
        else at = At.Text;
        return taken;
    }

    private void TakeUp()
    {
        call.Begin(tool);
        HasCalls = true;
    }

    private void EndCall(bool isComplete)
    {
        call.End(isComplete);
        at = At.Behind;
    }
}
