using System.Text;
using Quilt.Formats.Chat.Replies;
using Quilt.Hosting.Http;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>
/// A reply as blocks in their order, for APIs that have it so: Anthropic's, and OpenAI's Responses. Streams and whole answers are made of the same
/// blocks. White space alone makes no block.
/// </summary>
/// <param name="allCalls">Whether more than the first call counts.</param>
/// <param name="isText">Tells text from markers where the tokens of text are kept; null: they are not.</param>
internal sealed class ReplyBlocks(bool allCalls, Func<int, bool>? isText = null)
{
    private readonly List<ReplyBlock> all = [];
    private readonly List<TokenPiece> pending = [];
    private readonly StringBuilder held = new();
    private BlockKind heldKind;
    private ReplyBlock? open;

    /// <summary>The blocks so far.</summary>
    public IReadOnlyList<ReplyBlock> All => all;

    /// <summary>Whether there is a call among them.</summary>
    public bool HasCalls => all.Exists(block => block.Kind == BlockKind.Call);

    /// <summary>How the reply ended; null: it has not.</summary>
    public GenerationEnd? End { get; private set; }

    /// <summary>What is told in its place, where it ended by what is neither the model's doing nor the request's; null: nothing.</summary>
    public Exception? Fault => End switch
    {
        { Error: { } error } => error,
        { Reason: FinishReason.Timeout or FinishReason.Cancelled } => ApiException.Unavailable("The request was ended before its reply was."),
        _ => null,
    };

    /// <summary>Reads a generation to its end.</summary>
    /// <exception cref="RequestFailedException">The request failed.</exception>
    /// <exception cref="EngineFailedException">The engine failed.</exception>
    /// <exception cref="ApiException">Its time was up, or the server stops.</exception>
    public async Task ReadAsync(Generation generation, CancellationToken cancel)
    {
        await foreach (var happened in generation.Events(cancel).ConfigureAwait(false))
        {
            if (happened.Token is { } token) Count(token);
            else if (happened.Part is { } part) Take(part);
            else Finish(happened.End!);
        }
        if (Fault is { } fault) throw fault;
    }

    /// <summary>A token came.</summary>
    public void Count(in TokenPiece token)
    {
        if (isText is not null && isText(token.Id)) pending.Add(token);
    }

    /// <summary>A part came.</summary>
    public BlockChange Take(ReplyEvent part) => part switch
    {
        ThinkingText thought => Write(BlockKind.Thinking, thought.Text),
        ReplyText said => Write(BlockKind.Text, said.Text),
        ToolCallBegun call when allCalls || call.Index == 0 => Begin(BlockKind.Call, call.Name),
        ToolCallArguments more when open is { Kind: BlockKind.Call } && (allCalls || more.Index == 0) => Grow(default, more.Json),
        ToolCallEnded call when open is { Kind: BlockKind.Call } && (allCalls || call.Index == 0) =>
            new(Close(call.IsComplete), null, null, "", null),
        _ => default,
    };

    /// <summary>The reply is over; returns the block that is over with it.</summary>
    public ReplyBlock? Finish(GenerationEnd end)
    {
        End = end;
        return Close(end.Reason == FinishReason.Stop);
    }

    private BlockChange Write(BlockKind kind, string text)
    {
        if (open?.Kind == kind) return Grow(default, text);
        if (heldKind != kind) held.Clear();
        heldKind = kind;
        held.Append(text);
        if (string.IsNullOrWhiteSpace(text)) return default;
        var change = Begin(kind, "");
        text = held.ToString();
        held.Clear();
        return Grow(change, text);
    }

    private BlockChange Begin(BlockKind kind, string name)
    {
        var closed = Close(isComplete: true);
        open = new ReplyBlock(all.Count, kind, name);
        all.Add(open);
        return new(closed, open, null, "", null);
    }

    private BlockChange Grow(BlockChange change, string text)
    {
        open!.Append(text);
        IReadOnlyList<TokenPiece>? grown = null;
        if (open.Kind == BlockKind.Text && isText is not null)
        {
            grown = [.. pending];
            open.Tokens.AddRange(pending);
        }
        pending.Clear();
        return change with { Grown = open, Delta = text, Tokens = grown };
    }

    private ReplyBlock? Close(bool isComplete)
    {
        var closed = open;
        if (closed is not null) closed.IsComplete = isComplete;
        open = null;
        return closed;
    }
}
