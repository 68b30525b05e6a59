using System.Diagnostics;
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
    private PromptScorer? scores;
    private ReplyGrammar? grammar;
    private bool ignoresEnd;
    private bool tellsRandom;
    private long deadline;
    private long latestStart;

    public Request() => Sequence = new Sequence(this, sampling);

    /// <summary>The caller's end.</summary>
    public Generation Generation { get; private set; } = null!;

    /// <summary>Its tokens.</summary>
    public Sequence Sequence { get; }

    /// <summary>Why it is over; null while it runs.</summary>
    public FinishReason? Finished { get; private set; }

    /// <summary>When its time is up as things stand, in ticks of <see cref="Stopwatch"/>.</summary>
    public long TimeIsUpAt => Generation.Stats.HasStarted ? deadline : Math.Min(deadline, latestStart);

    /// <summary>Starts a request; what an earlier one left is forgotten.</summary>
    /// <param name="generation">The caller's end, with the prompt.</param>
    /// <param name="terms">What was asked for.</param>
    public void Begin(Generation generation, RequestTerms terms)
    {
        (Generation, Finished, failure, reply) = (generation, null, null, terms.Reply);
        parts.Clear();
        if (!string.IsNullOrEmpty(terms.Echo)) parts.Add(new ReplyText(terms.Echo));
        (deadline, latestStart) = (After(terms.Deadline), After(terms.MaxWaitingTime));
        Sequence.Begin(generation.PromptIds);
        (Sequence.Priority, Sequence.CacheKeys, Sequence.WantsPromptLogits) = (terms.Priority, terms.CacheKeys, terms.PromptTop is not null);
        scores = terms.PromptTop is { } top ? new PromptScorer(generation.PromptIds, top) : null;
        if (scores is { IsComplete: true }) Score(0, []);
        stop = new StopRule(terms.Sampling, terms.EndTokens, terms.Room);
        sampling.Begin(terms.Sampling, CollectionsMarshal.AsSpan(Sequence.Tokens), terms.EndTokens);
        grammar = terms.Grammar;
        if (grammar is not null) sampling.Mask = grammar.Next(reply.IsThinking);
        (ignoresEnd, tellsRandom) = (terms.Sampling.IgnoreEos, terms.TellsRandom);
        sampling.Thinking.Begin(terms.Sampling.ThinkingBudget, reply.ThinkingEnd, reply.IsThinking);
        if (terms.Begun is { } begun) Repeat(begun);
    }

    /// <summary>Takes note that the request is part of the next step.</summary>
    /// <returns>Whether that is so for the first time.</returns>
    public bool Start()
    {
        var first = !Generation.Stats.HasStarted;
        Generation.Stats.Started(Sequence.Cached, Sequence.FromTiers);
        return first;
    }

    /// <summary>Takes a row of logits after a token of the prompt, at a position, to say how likely the next one was.</summary>
    public void Score(int position, ReadOnlySpan<float> logits)
    {
        if (scores is null || !scores.Take(position, logits)) return;
        Generation.PromptScores = scores.Scores;
        // It is not computed whole again if it has to give way.
        (Sequence.WantsPromptLogits, scores) = (false, null);
    }

    /// <summary>Takes the chosen token: it is appended, and what it says goes to the caller.</summary>
    public void Accept(in TokenChoice chosen)
    {
        Sequence.Tokens.Add(chosen.Token);
        var mayStop = !stop.BelowLeast;
        var isThinking = reply.IsThinking;
        Finished = stop.Accept(chosen.Token);
        var isAllowed = grammar?.TryAccept(chosen.Token, isThinking) ?? true;

        // The token that ended the reply is not part of its text.
        var text = Finished == FinishReason.Stop ? "" : reply.Push(chosen.Token, mayStop, parts);
        if (reply.StopFound is not null) Finished = FinishReason.Stop;
        // Where only an end could follow, and is none, this is it.
        if (Finished is null && grammar is { IsOver: true } && (ignoresEnd || stop.BelowLeast)) Finished = FinishReason.Stop;
        if (Finished is not null) text += reply.Finish(parts);
        sampling.Thinking.IsOpen = reply.IsThinking;
        Generation.Write(new TokenPiece(chosen.Token, text, chosen.LogProbability, chosen.Top) { LogProbabilityTokens = chosen.Asked ?? [] },
            isThinking, tellsRandom ? sampling.Random : 0);
        Tell();
        if (!isAllowed)
            Fail(new RequestFailedException(new InvalidOperationException($"Token {chosen.Token} is not allowed by the reply's grammar.")));
        else if (grammar is not null && Finished is null) sampling.Mask = grammar.Next(reply.IsThinking);
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

    // Chosen elsewhere; here everything that looks at tokens sees them once more.
    private void Repeat(BegunReply begun)
    {
        foreach (var token in begun.Tokens)
        {
            sampling.Accept(token);
            Accept(new TokenChoice(token, float.NaN, []));
            if (Finished is not null) break;
        }
        sampling.Random = begun.Random;
    }

    // Thirty years are for ever, and no overflow.
    private static long After(TimeSpan? time) =>
        time is { } given ? Stopwatch.GetTimestamp() + (long)(Math.Min(given.TotalSeconds, 1e9) * Stopwatch.Frequency) : long.MaxValue;

    private void Tell()
    {
        foreach (var part in parts) Generation.Write(part);
        parts.Clear();
    }
}
