using System.Text;

namespace Quilt.Tests.Hosting.Security;

/// <summary>A request that somebody might try, and the statuses that are safe answers to it.</summary>
/// <param name="Name">Of the test: the row of the list and what is tried.</param>
/// <param name="Path">Where to.</param>
/// <param name="Body">Bytes, made when they are sent.</param>
/// <param name="Good">Statuses that are safe.</param>
internal sealed record HostileRequest(string Name, string Path, Func<byte[]> Body, params int[] Good)
{
    private const string Chat = "/v1/chat/completions";
    private const string Text = "/v1/completions";

    /// <summary>Fields beside a short conversation; refused unless said otherwise.</summary>
    public static HostileRequest OfChat(string row, string fields, params int[] good) => new($"{row}: chat {Shown(fields)}", Chat,
        () => Encoding.UTF8.GetBytes($$"""{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1, {{fields}}}"""), Or400(good));

    /// <summary>Messages alone.</summary>
    public static HostileRequest OfMessages(string row, string messages, params int[] good) => new($"{row}: messages {Shown(messages)}", Chat,
        () => Encoding.UTF8.GetBytes($$"""{"messages": {{messages}}, "max_tokens": 1}"""), Or400(good));

    /// <summary>Fields beside a short prompt.</summary>
    public static HostileRequest OfText(string row, string fields, params int[] good) => new($"{row}: completions {Shown(fields)}", Text,
        () => Encoding.UTF8.GetBytes($$"""{"prompt": "Hi.", "max_tokens": 1, {{fields}}}"""), Or400(good));

    /// <summary>A prompt alone.</summary>
    public static HostileRequest OfPrompt(string row, string prompt, params int[] good) => new($"{row}: prompt {Shown(prompt)}", Text,
        () => Encoding.UTF8.GetBytes($$"""{"prompt": {{prompt}}, "max_tokens": 1}"""), Or400(good));

    /// <summary>Any bytes.</summary>
    public static HostileRequest OfBytes(string row, string name, Func<byte[]> body, params int[] good) => new($"{row}: {name}", Chat, body,
        Or400(good));

    /// <summary>A text so many times.</summary>
    public static string Times(string text, int count) => new StringBuilder(text.Length * count).Insert(0, text, count).ToString();

    /// <summary>A text so many times with commas between.</summary>
    public static string List(string text, int count) => Times(text + ",", count).TrimEnd(',');

    public override string ToString() => Name;

    private static int[] Or400(int[] good) => good.Length == 0 ? [400] : good;

    private static string Shown(string text)
    {
        var plain = string.Concat(text.Select(c => c is < ' ' or > '~' or '"' ? ' ' : c));
        return plain.Length <= 70 ? plain : $"{plain[..60]}…({text.Length})";
    }
}
