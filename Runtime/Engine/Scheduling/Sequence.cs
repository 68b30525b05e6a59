using System.Runtime.InteropServices;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;
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

    /// <summary>Guesses of the tokens after <see cref="Tokens"/>, computed along once the prompt is; mostly none.</summary>
    public List<int> Drafts { get; } = [];

    /// <summary>Tokens of the prompt, the first of <see cref="Tokens"/>.</summary>
    public int PromptLength { get; private set; }

    /// <summary>Tokens whose keys and values are in the cache, or will be by the end of the step that is planned.</summary>
    public int Computed { get; set; }

    /// <summary>Tokens of the prompt that were found in the cache when it was last admitted.</summary>
    public int Cached { get; set; }

    /// <summary>Of these, tokens that were not in the cache but in the tiers behind it.</summary>
    public TierTokens FromTiers { get; set; }

    /// <summary>What the tiers were asked for since it waits; null: they were not asked.</summary>
    public TierLoad? Load { get; set; }

    /// <summary>Ids of the cache blocks, in the order of positions.</summary>
    public List<int> BlockTable { get; } = [];

    /// <summary>Leading blocks of <see cref="BlockTable"/> that others can find.</summary>
    public int Published { get; set; }

    /// <summary>The hashes of the leading full blocks of <see cref="Tokens"/>, as far as they were needed.</summary>
    public List<BlockHash> Hashes { get; } = [];

    /// <summary>What sets its blocks apart from others' of the same tokens; empty where nothing does.</summary>
    public string[] CacheKeys { get; set; } = [];

    /// <summary>Whether logits after every token of the prompt are wanted; the cache cannot give those, so it is not read.</summary>
    public bool WantsPromptLogits { get; set; }

    /// <summary>When it came, counted in arrivals; −1: it comes with its submission.</summary>
    public long Arrival { get; set; } = -1;

    /// <summary>How urgent it is, least first.</summary>
    public int Priority { get; set; }

    /// <summary>Its place in the queue, least first (<see cref="SchedulerOptions.PriorityAging"/>).</summary>
    public long Rank { get; set; }

    /// <summary>Its place in the heap of <see cref="WaitingQueue"/>; −1: it does not wait.</summary>
    public int WaitingAt { get; set; } = -1;

    /// <summary>The step that last gave it tokens, by the scheduler's own count.</summary>
    public long SharedIn { get; set; }

    /// <summary>Whether it had blocks before and had to give them back.</summary>
    public bool WasPreempted { get; set; }

    /// <summary>Tokens that are still to be computed, guesses included.</summary>
    public int Missing => Tokens.Count + Guesses - Computed;

    /// <summary>Whether only its newest token and its guesses are missing, so that it is decoding; else part of a prompt is.</summary>
    public bool IsDecoding => Tokens.Count - Computed <= 1;

    /// <summary>Guesses that count: none before the prompt is computed.</summary>
    private int Guesses => Drafts.Count > 0 && IsDecoding ? Drafts.Count : 0;

    /// <summary>The token, or the guess, at a position.</summary>
    public int TokenAt(int position) => position < Tokens.Count ? Tokens[position] : Drafts[position - Tokens.Count];

    /// <summary>Forgets what was and starts with a prompt. Its blocks must have been released.</summary>
    public void Begin(IReadOnlyList<int> prompt)
    {
        Tokens.Clear();
        Tokens.AddRange(prompt);
        Drafts.Clear();
        Hashes.Clear();
        (PromptLength, Computed, Cached, Published) = (prompt.Count, 0, 0, 0);
        (CacheKeys, WantsPromptLogits, WasPreempted) = ([], false, false);
        (Arrival, Priority, Rank, SharedIn) = (-1, 0, 0, 0);
        (Load, FromTiers) = (null, default);
    }

    /// <summary>Computes the hashes of the first <paramref name="blocks"/> full blocks, where that has not been done.</summary>
    public void Hash(int blocks, int blockTokens)
    {
        var tokens = CollectionsMarshal.AsSpan(Tokens);
        while (Hashes.Count < blocks)
        {
            var i = Hashes.Count;
            var parent = i == 0 ? BlockHasher.DefaultRoot : Hashes[i - 1];
            Hashes.Add(BlockHasher.Next(parent, tokens.Slice(i * blockTokens, blockTokens), i == 0 ? CacheKeys : []));
        }
    }
}
