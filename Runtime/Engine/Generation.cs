using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Quilt.Formats.Chat.Replies;
using Quilt.Kernels.Devices;

namespace Quilt.Runtime;

/// <summary>
/// One request's stream of tokens. Enumerate it once; leaving the enumeration early, or cancelling, ends the request and frees its cache.
/// </summary>
public sealed class Generation : IAsyncEnumerable<TokenPiece>
{
    private readonly Channel<TokenPiece> pieces = Channel.CreateUnbounded<TokenPiece>(new() { SingleReader = true, SingleWriter = true });
    private readonly Func<ReplyParser>? replies;
    private readonly CancellationTokenRegistration registration;
    private readonly Action wakeEngine;
    private volatile bool cancelled;
    private int enumerated;

    internal Generation(IReadOnlyList<int> promptIds, Func<ReplyParser>? replies, Action wakeEngine, CancellationToken cancel)
    {
        (PromptIds, this.replies, this.wakeEngine) = (promptIds, replies, wakeEngine);
        Stats = new GenerationStats { PromptTokens = promptIds.Count };
        registration = cancel.Register(static self => ((Generation)self!).Cancel(), this);
    }

    /// <summary>The prompt as token ids.</summary>
    public IReadOnlyList<int> PromptIds { get; }

    /// <summary>Why it ended; null while it runs.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>Counts and times; complete once <see cref="FinishReason"/> is set.</summary>
    public GenerationStats Stats { get; }

    /// <summary>The stop text (string) or stop token (int) that ended it; null if the model's end token, its length or the caller did.</summary>
    public object? StopReason { get; internal set; }

    internal bool IsCancelled => cancelled;

    /// <summary>
    /// Ends the request before its next token. The enumeration then ends without an exception, with <see cref="Runtime.FinishReason.Cancelled"/>.
    /// </summary>
    public void Cancel()
    {
        cancelled = true;
        wakeEngine();
    }

    /// <summary>The tokens, as they come.</summary>
    /// <exception cref="InvalidOperationException">It was enumerated before.</exception>
    /// <exception cref="EngineFailedException">The engine failed.</exception>
    public async IAsyncEnumerator<TokenPiece> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref enumerated, 1) != 0) throw new InvalidOperationException("A generation can be enumerated once.");
        try
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return piece;
        }
        finally
        {
            if (FinishReason is null) Cancel();
            await registration.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The reply understood: thinking, text and tool calls as they come, in the model's dialect.</summary>
    /// <exception cref="InvalidOperationException">This is a raw continuation, not a reply in a conversation; or it was enumerated
    /// before.</exception>
    public async IAsyncEnumerable<ReplyEvent> Replies([EnumeratorCancellation] CancellationToken cancel = default)
    {
        var parser = replies?.Invoke()
            ?? throw new InvalidOperationException("Only a reply in a conversation has a dialect; this is a raw continuation.");
        var events = new List<ReplyEvent>();
        await foreach (var piece in this.WithCancellation(cancel).ConfigureAwait(false))
        {
            parser.Push(piece.Text, events);
            foreach (var found in events) yield return found;
            events.Clear();
        }
        parser.Finish(events);
        foreach (var found in events) yield return found;
    }

    /// <summary>All of the text, once it is there.</summary>
    public async Task<string> ReadToEndAsync(CancellationToken cancel = default)
    {
        var text = new StringBuilder();
        await foreach (var piece in this.WithCancellation(cancel).ConfigureAwait(false)) text.Append(piece.Text);
        return text.ToString();
    }

    internal void Write(TokenPiece piece)
    {
        if (piece.Id >= 0) Stats.Token();
        pieces.Writer.TryWrite(piece);
    }

    internal void Finish(FinishReason reason)
    {
        FinishReason = reason;
        Stats.Ended(Stopwatch.GetTimestamp());
        pieces.Writer.TryComplete();
    }

    internal void Fail(Exception error) => pieces.Writer.TryComplete(error);
}

/// <summary>One generated token.</summary>
/// <param name="Id">Its id; −1 for text that was held back until the end and belongs to no further token.</param>
/// <param name="Text">The text that is certain now: whole characters only, nothing for a token in the middle of one.</param>
/// <param name="LogProbability">Natural logarithm of its probability under the model's own distribution, before any sampling option; NaN where not
/// asked for.</param>
public readonly record struct TokenPiece(int Id, string Text, float LogProbability);

/// <summary>An engine can run no further step. The inner exception says why.</summary>
public sealed class EngineFailedException : Exception
{
    internal EngineFailedException(Exception cause) : base($"The engine failed and is closed: {GpuDevices.Explain(cause) ?? cause.Message}", cause)
    {
    }
}
