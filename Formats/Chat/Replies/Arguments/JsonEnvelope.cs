using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads a call that is one JSON object, <c>{"name": "f", "arguments": {…}}</c>, a piece at a time. The arguments may be named <c>parameters</c>,
/// come before the name, or be an object in a string; other members mean nothing. Once the call is certain, <see cref="IsReady"/>, reading stops
/// until <see cref="Begin"/> says where the arguments go.
/// </summary>
/// <param name="nameKey">What the name is called.</param>
internal sealed class JsonEnvelope(string nameKey)
{
    private readonly JsonStringReader inside = new();
    private readonly JsonRelay value = new();
    private readonly StringBuilder key = new();
    private readonly StringBuilder text = new();             // of a value that is no arguments, or of arguments in a string
    private readonly StringBuilder early = new();            // arguments that came before the name
    private Member member;
    private At at;
    private bool isBegun;

    private enum At
    {
        Object,
        Key,
        InKey,
        Colon,
        Value,
        InValue,
        BehindValue,
        Done,
        Broken,
    }

    private enum Member
    {
        Other,
        Name,
        Arguments,
        ArgumentsInString,
    }

    /// <summary>The tool's name; null where it is not known.</summary>
    public string? Name { get; private set; }

    /// <summary>Whether name and arguments are known, or begin here, and nothing has been done about it.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Whether the arguments were read to their end.</summary>
    public bool HasArguments { get; private set; }

    public bool IsDone => at == At.Done;

    /// <summary>The next character does not belong here.</summary>
    public bool IsBroken => at == At.Broken;

    /// <summary>Whether arguments came, or come, before the name.</summary>
    public bool HoldsArguments => HasArguments || (at == At.InValue && member is Member.Arguments or Member.ArgumentsInString);

    public bool IsInString => at == At.InKey || (at == At.InValue && value.IsInString);

    /// <summary>An object is to come.</summary>
    public void Restart()
    {
        (Name, IsReady, HasArguments, isBegun, at) = (null, false, false, false, At.Object);
        early.Clear();
    }

    /// <summary>Reads until the object is over or broken, or the call is certain.</summary>
    /// <returns>How many characters were taken.</returns>
    public int Read(ReadOnlySpan<char> piece)
    {
        var taken = 0;
        while (taken < piece.Length && at < At.Done && !IsReady)
        {
            if (at == At.InKey)
            {
                taken += inside.Read(piece[taken..], out var isOver);
                if (isOver) at = At.Colon;
            }
            else if (at == At.InValue)
            {
                taken += value.Read(piece[taken..]);
                if (value.IsDone) EndValue();
                else if (value.IsBroken) at = At.Broken;
            }
            else if (Spaces.IsSpace(piece[taken])) taken++;
            else if (at == At.Value) BeginValue(piece[taken]);
            else if (Take(piece[taken])) taken++;
            else at = At.Broken;
        }
        return taken;
    }

    /// <summary>The call is taken up: its arguments go to <paramref name="arguments"/>.</summary>
    public void Begin(StringBuilder arguments)
    {
        (IsReady, isBegun) = (false, true);
        if (HasArguments) arguments.Append(early);
        else value.Begin(arguments);
    }

    /// <summary>The text ends here: closes arguments that are taken up and open.</summary>
    public void Close()
    {
        if (at is At.InValue or At.Broken && member == Member.Arguments && !HasArguments) value.Close();
    }

    private bool Take(char c)
    {
        at = (at, c) switch
        {
            (At.Object, '{') => At.Key,
            (At.Key, '"') => At.InKey,
            (At.Key, '}') => At.Done,
            (At.Colon, ':') => At.Value,
            (At.BehindValue, ',') => At.Key,
            (At.BehindValue, '}') => At.Done,
            _ => At.Broken,
        };
        if (at == At.InKey) inside.Begin(key.Clear());
        return at != At.Broken;
    }

    private void BeginValue(char first)
    {
        var isArguments = !HasArguments && (key.ToString() is "arguments" or "parameters");
        member = isArguments && first == '{' ? Member.Arguments
            : isArguments && first == '"' ? Member.ArgumentsInString
            : Name is null && key.ToString() == nameKey ? Member.Name
            : Member.Other;
        // Arguments that are neither an object nor null are no arguments, and this is no call.
        at = isArguments && first is not ('{' or '"' or 'n' or 'N') ? At.Broken : At.InValue;
        if (at == At.Broken) return;
        if (member != Member.Arguments) value.Begin(text.Clear());
        else if (Name is null) value.Begin(early);
        else IsReady = true;
    }

    private void EndValue()
    {
        at = At.BehindValue;
        if (member == Member.Arguments) HasArguments = true;
        else if (member == Member.Name)
        {
            Name = Text();
            if (string.IsNullOrEmpty(Name)) at = At.Broken;
        }
        else if (member == Member.ArgumentsInString)
        {
            HasArguments = QuotedArguments.TryRead(text, early);
            if (!HasArguments) at = At.Broken;
        }
        if (at != At.Broken && HasArguments && Name is not null && member != Member.Other && !isBegun) IsReady = true;
    }

    private string? Text()
    {
        using var json = JsonDocument.Parse(text.ToString());
        return json.RootElement.ValueKind == JsonValueKind.String ? json.RootElement.GetString() : null;
    }
}
