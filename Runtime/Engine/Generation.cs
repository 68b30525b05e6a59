using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Runtime;

/// <summary>
/// The caller's end of one request: a stream of events, of which tokens and reply are views. It can be read once, in one of these ways, by one
/// reader; any other is told so (docs/api.md, "Events"). Leaving it early, or cancelling, ends the request and frees its cache.
/// </summary>
public sealed class Generation : IAsyncEnumerable<TokenPiece>
{
    private readonly Channel<GenerationEvent> events = Channel.CreateUnbounded<GenerationEvent>(new() { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenRegistration registration;
    private readonly Action wakeEngine;
    private volatile GenerationEnd? end;
    private volatile bool cancelled;
    private int readers;

    internal Generation(IReadOnlyList<int> promptIds, Action wakeEngine, CancellationToken cancel)
    {
        (PromptIds, this.wakeEngine) = (promptIds, wakeEngine);
        Stats = new GenerationStats { PromptTokens = promptIds.Count };
        registration = cancel.Register(static self => ((Generation)self!).Cancel(), this);
    }

    /// <summary>The prompt as token ids.</summary>
    public IReadOnlyList<int> PromptIds { get; }

    /// <summary>How it ended; null while it runs. Set before the last event can be read.</summary>
    public GenerationEnd? End => end;

    /// <summary>Why it ended; null while it runs.</summary>
    public FinishReason? FinishReason => end?.Reason;

    /// <summary>Which of the request's choices it is, from 0.</summary>
    public int Choice { get; internal init; }

    /// <summary>How many choices the request has (<see cref="GenerationRequest.Choices"/>).</summary>
    public int Choices { get; internal init; } = 1;

    /// <summary>Most tokens that it may generate: what was asked for, or what the model and its cache hold if that is less.</summary>
    public int MaxTokens { get; internal init; }

    /// <summary>
    /// For each token of the prompt how likely it was after those before it, as <see cref="GenerationRequest.PromptLogProbabilities"/> asks; of the
    /// first nothing can be said, and it has NaN. Complete before the first token comes; null before, and where not asked for.
    /// </summary>
    public IReadOnlyList<PromptScore>? PromptScores { get; internal set; }

    /// <summary>Where others find what its prompt was computed to; null where that was not asked for.</summary>
    internal KvOffer? Offer { get; set; }

    /// <summary>Counts and times; complete once it has ended.</summary>
    public GenerationStats Stats { get; }

    internal bool IsCancelled => cancelled;

    /// <summary>Ends the request before its next token; its last event then says <see cref="FinishReason.Cancelled"/>.</summary>
    public void Cancel()
    {
        cancelled = true;
        wakeEngine();
    }

    /// <summary>Everything, as it comes; the last event is the end, also where something failed.</summary>
    /// <exception cref="InvalidOperationException">It is being read, or was.</exception>
    public async IAsyncEnumerable<GenerationEvent> Events([EnumeratorCancellation] CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref readers, 1) != 0)
            throw new InvalidOperationException("A generation can be read once, by one reader: this one is being read, or was.");
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(cancel).ConfigureAwait(false)) yield return happened;
        }
        finally
        {
            if (end is null) Cancel();
        }
    }

    /// <summary>The tokens, as they come.</summary>
    /// <exception cref="InvalidOperationException">It is being read, or was.</exception>
    /// <exception cref="RequestFailedException">The request failed.</exception>
    /// <exception cref="EngineFailedException">The engine failed.</exception>
    public async IAsyncEnumerator<TokenPiece> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var happened in Events(cancellationToken).ConfigureAwait(false))
        {
            if (happened.Token is { } token) yield return token;
            else if (happened.End is { Error: { } error }) throw error;
        }
    }

    /// <summary>The reply understood: thinking, text and tool calls as they come, in the model's dialect; text alone where there is none.</summary>
    /// <inheritdoc cref="GetAsyncEnumerator" path="/exception"/>
    public async IAsyncEnumerable<ReplyEvent> Replies([EnumeratorCancellation] CancellationToken cancel = default)
    {
        await foreach (var happened in Events(cancel).ConfigureAwait(false))
        {
            if (happened.Part is { } part) yield return part;
            else if (happened.End is { Error: { } error }) throw error;
        }
    }

    /// <summary>All of the text, once it is there; in a conversation the answer alone, without thinking and calls.</summary>
    /// <inheritdoc cref="GetAsyncEnumerator" path="/exception"/>
    public async Task<string> ReadToEndAsync(CancellationToken cancel = default)
    {
        var text = new StringBuilder();
        await foreach (var part in Replies(cancel).ConfigureAwait(false))
        {
            if (part is ReplyText said) text.Append(said.Text);
        }
        return text.ToString();
    }

    internal void Write(in TokenPiece token, bool isThinking, ulong random)
    {
        Stats.Token(isThinking);
        events.Writer.TryWrite(new(token, random));
    }

    internal void Write(ReplyEvent part) => events.Writer.TryWrite(new(part));

    /// <summary>The last word; what comes later is not heard.</summary>
    internal void Finish(GenerationEnd last)
    {
        if (end is not null) return;
        Stats.Ended();
        end = last;
        events.Writer.TryWrite(new(last));
        events.Writer.TryComplete();
        // Not disposed of: that would wait for a callback that is running, and the engine waits for nobody.
        registration.Unregister();
    }
}
