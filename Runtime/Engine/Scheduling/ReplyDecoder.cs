using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// From a request's tokens to what its caller reads: text, and in a conversation the parts of the reply. Stop texts are looked for in the answer; in
/// all of the text where the request asks for that, or has no dialect. Text that may yet become a stop text, a marker or a character is held back.
/// </summary>
/// <param name="tokenizer">Null: there is no text.</param>
/// <param name="parser">Null: the text is no reply but the continuation of a text.</param>
/// <param name="markers">Special tokens that are text to the parser; all others are none.</param>
/// <param name="options">The request's own.</param>
internal sealed class ReplyDecoder(Tokenizer? tokenizer, ReplyParser? parser, IReadOnlySet<int>? markers, SamplingOptions options)
{
    private readonly StreamingDecoder? decoder = tokenizer?.Stream(options.SkipSpecialTokens, kept: markers);
    private readonly StopText stop = new(options.Stop, options.IncludeStop);
    private readonly bool stopsAnywhere = parser is null || options.StopInThinking;
    private readonly List<ReplyEvent> parsed = [];
    private bool isFinished;

    /// <summary>The stop text that was found; null so far.</summary>
    public string? StopFound => stop.Found;

    /// <summary>The tokens that end thinking; none where the reply has no thinking, or nothing that ends it.</summary>
    public IReadOnlyList<int> ThinkingEnd { get; init; } = [];

    /// <summary>Whether the reply, as far as it is known, is inside thinking.</summary>
    public bool IsThinking => parser?.IsThinking ?? false;

    /// <summary>Takes a token; adds the parts of the reply that are certain now. Returns the token's text.</summary>
    public string Push(int token, bool mayStop, List<ReplyEvent> parts) => decoder is null ? "" : Take(decoder.Push(token), mayStop, parts);

    /// <summary>Nothing more comes: releases what was held back. Returns the text that belongs to the last token.</summary>
    public string Finish(List<ReplyEvent> parts)
    {
        if (decoder is null || isFinished) return "";
        isFinished = true;
        var text = Take(decoder.Flush(), mayStop: true, parts);
        if (stopsAnywhere)
        {
            var rest = stop.Flush();
            Read(rest, parts);
            text += rest;
        }
        if (parser is null) return text;
        parser.Finish(parsed);
        Sift(mayStop: true, parts);
        Say(stop.Flush(), parts);
        return text;
    }

    private string Take(string text, bool mayStop, List<ReplyEvent> parts)
    {
        if (stopsAnywhere) text = stop.Push(text, mayStop);
        Read(text, parts, mayStop);
        return text;
    }

    private void Read(string text, List<ReplyEvent> parts, bool mayStop = true)
    {
        if (parser is null)
        {
            Say(text, parts);
            return;
        }
        parser.Push(text, parsed);
        Sift(mayStop, parts);
    }

    /// <summary>Passes on what the parser found, up to a stop text in the answer.</summary>
    private void Sift(bool mayStop, List<ReplyEvent> parts)
    {
        foreach (var part in parsed)
        {
            if (stopsAnywhere) parts.Add(part);
            else if (stop.Found is not null) break;
            else if (part is ReplyText said) Say(stop.Push(said.Text, mayStop), parts);
            else
            {
                // A stop text does not go on behind thinking or a call.
                Say(stop.Flush(), parts);
                parts.Add(part);
            }
        }
        parsed.Clear();
    }

    private static void Say(string text, List<ReplyEvent> parts)
    {
        if (text.Length > 0) parts.Add(new ReplyText(text));
    }
}
