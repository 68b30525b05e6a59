using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime;

/// <summary>
/// A reply whose tokens another engine chooses. They are read here as that engine reads them, so that the caller sees the same text, thinking and
/// calls;
/// one thread at a time.
/// </summary>
internal sealed class RelayedReply
{
    private readonly Request request = new();
    private readonly List<int> tokens = [];

    /// <summary>A reply of which nothing is known yet.</summary>
    /// <param name="generation">The caller's end.</param>
    /// <param name="terms">What was asked for. A form is the other engine's affair.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="gone">Cancelled with the generation.</param>
    public RelayedReply(Generation generation, RequestTerms terms, LaidOutPrompt prompt, CancellationToken gone)
    {
        (Generation, Terms, Prompt, Gone) = (generation, terms, prompt, gone);
        request.Begin(generation, terms with { Grammar = null });
    }

    /// <summary>The caller's end.</summary>
    public Generation Generation { get; }

    /// <summary>What was asked for.</summary>
    public RequestTerms Terms { get; }

    /// <summary>The prompt.</summary>
    public LaidOutPrompt Prompt { get; }

    /// <summary>Cancelled when the caller gives up.</summary>
    public CancellationToken Gone { get; }

    /// <summary>Tokens so far.</summary>
    public IReadOnlyList<int> Tokens => tokens;

    /// <summary>Where the other engine's random numbers stand behind them.</summary>
    public ulong Random { get; private set; }

    /// <summary>Why it is over by what was read here; null while it goes on.</summary>
    public FinishReason? Finished => request.Finished;

    /// <summary>The other engine has begun.</summary>
    /// <param name="cached">Tokens of the prompt that it had.</param>
    public void Started(int cached) => Generation.Stats.Started(cached, default);

    /// <summary>Takes a token.</summary>
    public void Accept(in TokenChoice chosen, ulong random)
    {
        tokens.Add(chosen.Token);
        Random = random;
        request.Accept(chosen);
    }

    /// <summary>Ends it.</summary>
    public void Finish(FinishReason reason, Exception? error = null) => request.Finish(reason, error);
}
