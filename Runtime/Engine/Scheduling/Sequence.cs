namespace Quilt.Runtime.Scheduling;

/// <summary>The tokens of one sequence and the cache blocks that hold their keys and values. Belongs to the engine's thread.</summary>
internal sealed class Sequence(IReadOnlyList<int> prompt)
{
    /// <summary>Who asked for it; null where nothing is to be sampled.</summary>
    public Request? Request { get; init; }

    /// <summary>Prompt and output so far.</summary>
    public List<int> Tokens { get; } = [.. prompt];

    /// <summary>Tokens of the prompt, the first of <see cref="Tokens"/>.</summary>
    public int PromptLength { get; } = prompt.Count;

    /// <summary>Tokens whose keys and values are in the cache.</summary>
    public int Computed { get; set; }

    /// <summary>Ids of the cache blocks, in the order of positions.</summary>
    public List<int> BlockTable { get; } = [];
}
