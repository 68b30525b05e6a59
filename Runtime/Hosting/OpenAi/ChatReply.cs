using System.Text;
using Quilt.Formats.Chat.Replies;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>One reply, read to its end.</summary>
internal sealed class ChatReply
{
    private readonly StringBuilder text = new();
    private readonly StringBuilder thinking = new();
    private readonly List<WireToolCall> calls = [];
    private readonly List<TokenPiece> tokens = [];
    private GenerationEnd? end;

    /// <summary>The answer's text.</summary>
    public string Text => text.ToString();

    /// <summary>Its thinking.</summary>
    public string Thinking => thinking.ToString();

    /// <summary>Its calls.</summary>
    public IReadOnlyList<WireToolCall> Calls => calls;

    /// <summary>Its tokens; collected where they are needed.</summary>
    public IReadOnlyList<TokenPiece> Tokens => tokens;

    /// <summary>How it ended.</summary>
    public GenerationEnd End => end!;

    /// <summary>Reads a generation.</summary>
    /// <param name="generation">It.</param>
    /// <param name="keepsTokens">Whether tokens are collected.</param>
    /// <param name="allCalls">Whether more than the first call counts.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="RequestFailedException">The request failed.</exception>
    /// <exception cref="EngineFailedException">The engine failed.</exception>
    public static async Task<ChatReply> ReadAsync(Generation generation, bool keepsTokens, bool allCalls, CancellationToken cancel)
    {
        var reply = new ChatReply();
        await foreach (var happened in generation.Events(cancel).ConfigureAwait(false))
        {
            if (happened.Token is { } token)
            {
                if (keepsTokens) reply.tokens.Add(token);
            }
            else if (happened.Part is { } part) reply.Take(part, allCalls);
            else reply.end = happened.End;
        }
        return reply.end is { Error: { } error } ? throw error : reply;
    }

    private void Take(ReplyEvent part, bool allCalls)
    {
        switch (part)
        {
            case ReplyText said:
                text.Append(said.Text);
                break;
            case ThinkingText thought:
                thinking.Append(thought.Text);
                break;
            case ToolCallEnded call when allCalls || call.Index == 0:
                calls.Add(new(Ids.Call(), new(call.Name, call.Arguments)));
                break;
        }
    }
}
