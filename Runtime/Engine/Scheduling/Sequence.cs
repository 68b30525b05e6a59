using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// The tokens of one sequence and the cache blocks that hold their keys and values. Belongs to the engine's thread. Its lists only grow, from use to
/// use.
/// </summary>
internal sealed class Sequence
{
    /// <summary>A sequence without tokens, to be given some by <see cref="Begin"/>.</summary>
    /// <param name="request">Who asks for it; null where nobody waits for its tokens.</param>
    /// <param name="sampling">How its next token is chosen; null where only its logits are wanted.</param>
    public Sequence(Request? request = null, SamplerState? sampling = null) => (Request, Sampling) = (request, sampling);

    /// <summary>A sequence that begins with a prompt.</summary>
    public Sequence(IReadOnlyList<int> prompt) => Begin(prompt);

    /// <summary>Who asked for it; null where nobody waits for its tokens.</summary>
    public Request? Request { get; }

    /// <summary>How its next token is chosen; null where only its logits are wanted.</summary>
    public SamplerState? Sampling { get; }

    /// <summary>Prompt and output so far.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Tokens of the prompt, the first of <see cref="Tokens"/>.</summary>
    public int PromptLength { get; private set; }

    /// <summary>Tokens whose keys and values are in the cache.</summary>
    public int Computed { get; set; }

    /// <summary>Ids of the cache blocks, in the order of positions.</summary>
    public List<int> BlockTable { get; } = [];

    /// <summary>Forgets what was and starts with a prompt. Its blocks must have been released.</summary>
    public void Begin(IReadOnlyList<int> prompt)
    {
        Tokens.Clear();
        Tokens.AddRange(prompt);
        (PromptLength, Computed) = (prompt.Count, 0);
    }
}
