namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// What stands before a Harmony message: <c>&lt;|start|&gt;ROLE to=RECIPIENT&lt;|channel|&gt;CHANNEL to=RECIPIENT TYPE&lt;|constrain|&gt;TYPE</c>, of
/// which any part may be missing, the start with its role most often.
/// </summary>
/// <param name="text">All of it, markers and all.</param>
internal readonly ref struct HarmonyHeader(ReadOnlySpan<char> text)
{
    public const string Start = "<|start|>", Channel = "<|channel|>", Constrain = "<|constrain|>", Message = "<|message|>", Analysis = "analysis";

    // Characters, at most: a tool's name has 64.
    private const int MaxText = 256;
    private const string Recipient = "to=", Prefix = "functions.", Role = "assistant";
    private readonly ReadOnlySpan<char> text = text;

    /// <summary>Whether a part of it is there that begins with a marker.</summary>
    public bool HasMarkers => text.Contains('<');

    /// <summary>Whether the header has a channel already.</summary>
    public bool HasChannel => text.IndexOf(Channel) >= 0;

    /// <summary>Whether the message is thinking: the last channel counts, since models begin anew.</summary>
    public bool IsAnalysis => text.LastIndexOf(Channel) is >= 0 and var at && WordAt(at + Channel.Length).SequenceEqual(Analysis);

    /// <summary>Whom the message is to, without the prefix of functions; null where it is to the user.</summary>
    public string? Tool
    {
        get
        {
            if (!Behind(Recipient, out var name) || name.IsEmpty || name.SequenceEqual(Role)) return null;
            return (name.StartsWith(Prefix) && name.Length > Prefix.Length ? name[Prefix.Length..] : name).ToString();
        }
    }

    /// <summary>Whether something follows the recipient, so that it is not cut short.</summary>
    public bool IsRecipientWhole => Behind(Recipient, out var name) && !text.EndsWith(name);

    /// <summary>Whether what there is of it can be nothing but a header that was cut short: a role or a channel has begun.</summary>
    public bool IsBegun
    {
        get
        {
            if (!Behind(Channel, out var channel) || channel.IsEmpty) return Behind(Start, out var role) && !role.IsEmpty && Begins(role, Role);
            return Begins(channel, Analysis) || Begins(channel, "commentary") || Begins(channel, "final");
        }
    }

    /// <summary>Whether it may become a header, or go on as one; the prompt may end in the start of the first.</summary>
    /// <param name="isFirst">Whether it stands where the prompt ends.</param>
    public bool IsPossible(bool isFirst)
    {
        if (text.Length > MaxText || text.ContainsAny('\n', '\r')) return false;
        if (isFirst && !HasMarkers) return Begins(text.TrimStart(), Recipient) || Begins(text.TrimStart(), Role);
        return IsWord(Start) && IsWord(Channel);
    }

    // Behind this marker, if it is there, stands a word, or nothing yet.
    private bool IsWord(string marker)
    {
        var at = text.IndexOf(marker);
        if (at < 0 || at + marker.Length == text.Length) return true;
        return char.IsLetterOrDigit(text[at + marker.Length]) || text[at + marker.Length] == '<';
    }

    // Whether one is the other's beginning.
    private static bool Begins(ReadOnlySpan<char> one, ReadOnlySpan<char> other) => one.StartsWith(other) || other.StartsWith(one);

    // The word behind the first of these; false where there is none of them.
    private bool Behind(string what, out ReadOnlySpan<char> word)
    {
        var at = text.IndexOf(what);
        word = at < 0 ? default : WordAt(at + what.Length);
        return at >= 0;
    }

    private ReadOnlySpan<char> WordAt(int at)
    {
        var rest = text[at..].TrimStart();
        var end = rest.IndexOfAny(" \t\r\n<");
        return end < 0 ? rest : rest[..end];
    }
}
