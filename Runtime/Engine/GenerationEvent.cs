using Quilt.Formats.Chat.Replies;

namespace Quilt.Runtime;

/// <summary>
/// One thing that a request brought about, in order: a token that was chosen, a part of the reply that became certain with it, and at last the end.
/// Exactly one of the three is set.
/// </summary>
public readonly record struct GenerationEvent
{
    internal GenerationEvent(TokenPiece token, ulong random = 0) => (Token, Random) = (token, random);

    internal GenerationEvent(ReplyEvent part) => Part = part;

    internal GenerationEvent(GenerationEnd end) => End = end;

    /// <summary>A token was chosen; parts of the reply that it makes certain follow.</summary>
    public TokenPiece? Token { get; }

    /// <summary>
    /// A part of the reply: text, thinking, or a step of a tool call. A continuation without a conversation has text alone.
    /// </summary>
    public ReplyEvent? Part { get; }

    /// <summary>
    /// Where the request's random numbers stand behind its token; 0 where not asked for (<see cref="GenerationRequest.TellsRandom"/>).
    /// </summary>
    internal ulong Random { get; }

    /// <summary>The request is over; nothing follows.</summary>
    public GenerationEnd? End { get; }
}

/// <summary>How a request ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Usage">Tokens and times.</param>
public sealed record GenerationEnd(FinishReason Reason, GenerationStats Usage)
{
    /// <summary>The text of <see cref="Sampling.SamplingOptions.Stop"/> that ended it; null if none did.</summary>
    public string? StopText { get; init; }

    /// <summary>The token of <see cref="Sampling.SamplingOptions.StopTokens"/> that ended it; null if none did.</summary>
    public int? StopToken { get; init; }

    /// <summary>
    /// What failed, where the reason is <see cref="FinishReason.Error"/>: a <see cref="RequestFailedException"/> if it was this request's own
    /// affair, an <see cref="EngineFailedException"/> if the engine can go on with none; null otherwise.
    /// </summary>
    public Exception? Error { get; init; }
}
