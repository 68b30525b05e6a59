namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// What stands before a Harmony message: <c>&lt;|start|&gt;ROLE to=RECIPIENT&lt;|channel|&gt;CHANNEL to=RECIPIENT TYPE&lt;|constrain|&gt;TYPE</c>, of
/// which any part may be missing, the start with its role most often.
/// </summary>
/// <param name="Text">All of it, markers and all.</param>
internal readonly record struct HarmonyHeader(string Text)
{
    public const string Start = "<|start|>", Channel = "<|channel|>", Constrain = "<|constrain|>", Message = "<|message|>", Analysis = "analysis";

    // Characters, at most: a tool's name has 64.
    private const int MaxText = 256;
    private const string Recipient = "to=", Prefix = "functions.", Role = "assistant";
    private static readonly string[] channels = [Analysis, "commentary", "final"];

    /// <summary>Whether the message is thinking.</summary>
    public bool IsAnalysis => Behind(Channel) == Analysis;

    /// <summary>Whom the message is to, without the prefix of functions; null where it is to the user.</summary>
    public string? Tool
    {
        get
        {
            if (Behind(Recipient) is not { Length: > 0 } name || name == Role) return null;
            return name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length > Prefix.Length ? name[Prefix.Length..] : name;
        }
    }

    /// <summary>Whether something follows the recipient, so that it is not cut short.</summary>
    public bool IsRecipientWhole => Behind(Recipient) is { } name && !Text.EndsWith(name, StringComparison.Ordinal);

    /// <summary>Whether the header has a channel already.</summary>
    public bool HasChannel => Text.Contains(Channel, StringComparison.Ordinal);

    /// <summary>Whether it may become a header, or go on as one; the prompt may end in the start of the first.</summary>
    /// <param name="isFirst">Whether it stands where the prompt ends.</param>
    public bool IsPossible(bool isFirst)
    {
        if (Text.Length > MaxText || Text.AsSpan().ContainsAny('\n', '\r')) return false;
        if (isFirst && !Text.Contains('<', StringComparison.Ordinal))
        {
            var begun = Text.TrimStart();
            return Begins(begun, Recipient) || Begins(begun, Role);
        }
        return IsWord(Start) && IsWord(Channel);
    }

    /// <summary>Whether what there is of it can be nothing but a header that was cut short: a role or a channel has begun.</summary>
    public bool IsBegun
    {
        get
        {
            if (Behind(Channel) is { Length: > 0 } channel) return channels.Any(known => Begins(known, channel));
            return Behind(Start) is { Length: > 0 } role && Begins(Role, role);
        }
    }

    // Behind this marker, if it is there, stands a word, or nothing yet.
    private bool IsWord(string marker)
    {
        var at = Text.IndexOf(marker, StringComparison.Ordinal);
        if (at < 0 || at + marker.Length == Text.Length) return true;
        return char.IsLetterOrDigit(Text[at + marker.Length]) || Text[at + marker.Length] == '<';
    }

    private static bool Begins(string text, string with) =>
        text.StartsWith(with, StringComparison.Ordinal) || with.StartsWith(text, StringComparison.Ordinal);

    // The word behind the first of these; null where there is none.
    private string? Behind(string what)
    {
        var at = Text.IndexOf(what, StringComparison.Ordinal);
        if (at < 0) return null;
        var rest = Text.AsSpan(at + what.Length).TrimStart();
        var end = rest.IndexOfAny(" \t\r\n<");
        return (end < 0 ? rest : rest[..end]).ToString();
    }
}
