using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Gathers a reply's events in order: joins text within a piece, counts the calls, and holds a block of calls back where it may yet turn out to be
/// text.
/// </summary>
internal sealed class ReplyOutput(bool holdsBlocks)
{
    private readonly StringBuilder text = new();
    private readonly StringBuilder block = new();
    private readonly List<ReplyEvent> waiting = [];
    private ICollection<ReplyEvent> events = Array.Empty<ReplyEvent>();
    private bool textIsThinking;
    private int calls;
    private int callsBeforeBlock;

    /// <summary>Whether blocks of calls are held back until they end.</summary>
    public bool HoldsBlocks => holdsBlocks;

    /// <summary>Whether a block of calls is held back; then all of its text has to be given to <see cref="Record"/>.</summary>
    public bool IsHolding { get; private set; }

    /// <summary>A piece begins; its events go to <paramref name="into"/>.</summary>
    public void Begin(ICollection<ReplyEvent> into) => events = into;

    /// <summary>A piece is over: passes its text on.</summary>
    public void End()
    {
        FlushText();
        events = Array.Empty<ReplyEvent>();
    }

    public void Text(ReadOnlySpan<char> more, bool isThinking)
    {
        if (isThinking != textIsThinking) FlushText();
        textIsThinking = isThinking;
        text.Append(more);
    }

    public int NextCall() => calls++;

    public void Add(ReplyEvent made)
    {
        FlushText();
        (IsHolding ? waiting : events).Add(made);
    }

    /// <summary>A block of calls begins; <paramref name="begun"/> is what was read of it already.</summary>
    public void OpenBlock(ReadOnlySpan<char> begun)
    {
        FlushText();
        callsBeforeBlock = calls;
        IsHolding = holdsBlocks;
        block.Clear();
        Record(begun);
    }

    /// <summary>More of the text of the open block.</summary>
    public void Record(ReadOnlySpan<char> more)
    {
        if (IsHolding) block.Append(more);
    }

    /// <summary>The block is over, and its events are passed on; unless it was none, which only a block held back can be.</summary>
    /// <returns>The text that the block is where it was none; null where it was one.</returns>
    public string? CloseBlock(bool asText)
    {
        if (!IsHolding) return null;
        FlushText();
        IsHolding = false;
        if (asText) calls = callsBeforeBlock;
        else foreach (var made in waiting) Add(made);
        waiting.Clear();
        return asText ? block.ToString() : null;
    }

    private void FlushText()
    {
        if (text.Length == 0) return;
        var made = text.ToString();
        text.Clear();
        (IsHolding ? waiting : events).Add(textIsThinking ? new ThinkingText(made) : new ReplyText(made));
    }
}
