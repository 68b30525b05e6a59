using System.Runtime.InteropServices;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// What one caller asked for: how to choose tokens, when to stop, and where what was chosen goes. Belongs to the engine's thread once submitted.
/// Pooled: the lists of its sequence and its sampler are used again by a later request.
/// </summary>
internal sealed class Request
{
    private readonly SamplerState sampling = new();
    private readonly List<ReplyEvent> parts = [];
    private StopRule stop = null!;
    private ReplyDecoder reply = null!;
    private RequestFailedException? failure;

    public Request() => Sequence = new Sequence(this, sampling);

    /// <summary>The caller's end.</summary>
    public Generation Generation { get; private set; } = null!;

    /// <summary>Its tokens.</summary>
    public Sequence Sequence { get; }

    /// <summary>Why it is over; null while it runs.</summary>
    public FinishReason? Finished { get; private set; }

    /// <summary>Starts a request; what an earlier one left is forgotten.</summary>
    /// <param name="generation">The caller's end, with the prompt.</param>
    /// <param name="options">The request's own copy.</param>
    /// <param name="endTokens">The model's end tokens.</param>
    /// <param name="room">Tokens the sequence may still grow by.</param>
    /// <param name="reply">What makes text of tokens.</param>
    public void Begin(Generation generation, SamplingOptions options, IReadOnlyCollection<int> endTokens, int room, ReplyDecoder reply)
    {
        (Generation, Finished, failure, this.reply) = (generation, null, null, reply);
        parts.Clear();
        Sequence.Begin(generation.PromptIds);
        stop = new StopRule(options, endTokens, room);
        sampling.Begin(options, CollectionsMarshal.AsSpan(Sequence.Tokens), endTokens);
        sampling.Thinking.Begin(options.ThinkingBudget, reply.ThinkingEnd, reply.IsThinking);
    }

    /// <summary>Takes the chosen token: it is appended, and what it says goes to the caller.</summary>
    public void Accept(in TokenChoice chosen)
    {
        Sequence.Tokens.Add(chosen.Token);
        var mayStop = !stop.BelowLeast;
        Finished = stop.Accept(chosen.Token);

        // The token that ended the reply is not part of its text.
        var text = Finished == FinishReason.Stop ? "" : reply.Push(chosen.Token, mayStop, parts);
        if (reply.StopFound is not null) Finished = FinishReason.Stop;
        if (Finished is not null) text += reply.Finish(parts);
        sampling.Thinking.IsOpen = reply.IsThinking;
        Generation.Write(new TokenPiece(chosen.Token, text, chosen.LogProbability, chosen.Top) { LogProbabilityTokens = chosen.Asked ?? [] });
        Tell();
    }

    /// <summary>Something in the request's own part failed: it is over.</summary>
    public void Fail(RequestFailedException error) => (Finished, failure) = (FinishReason.Error, error);

    /// <summary>Ends the caller's stream; what was held back goes out first.</summary>
    /// <param name="reason">Why it ends.</param>
    /// <param name="error">What failed outside of the request.</param>
    public void Finish(FinishReason reason, Exception? error = null)
    {
        error ??= failure;
        try
        {
            // A request whose own part failed is not asked again.
            if (error is null) reply.Finish(parts);
        }
#pragma warning disable CA1031 // Whatever a reply's last words threw is this request's affair alone.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            (reason, error) = (FinishReason.Error, new RequestFailedException(thrown));
        }
        Tell();
        Generation.Finish(new GenerationEnd(reason, Generation.Stats) { StopText = reply.StopFound, StopToken = stop.StopToken, Error = error });
    }

    private void Tell()
    {
        foreach (var part in parts) Generation.Write(part);
        parts.Clear();
    }
}
