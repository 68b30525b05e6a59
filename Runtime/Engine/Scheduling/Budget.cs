namespace Quilt.Runtime.Scheduling;

/// <summary>What a step gives one sequence.</summary>
/// <param name="Sequence">To whom.</param>
/// <param name="Count">How many tokens.</param>
/// <param name="IsPrompt">Whether they are part of a prompt, or of what must be computed again.</param>
internal readonly record struct Share(Sequence Sequence, int Count, bool IsPrompt);

/// <summary>What a step that is being planned still has to give.</summary>
/// <param name="tokens">Tokens of any kind.</param>
/// <param name="promptTokens">Tokens of prompts.</param>
/// <param name="rows">Rows of logits.</param>
internal struct Budget(int tokens, int promptTokens, int rows)
{
    private int promptTokens = promptTokens;
    private int rows = rows;

    /// <summary>Tokens of any kind.</summary>
    public int Tokens { get; private set; } = tokens;

    /// <summary>How many tokens a running sequence gets.</summary>
    public readonly int For(Sequence sequence, int most) =>
        sequence.IsDecoding ? Math.Min(sequence.Missing, Math.Min(Tokens, rows)) : Of(sequence.Missing, most, sequence.WantsPromptLogits);

    /// <summary>How many tokens a prompt gets of which so many are missing.</summary>
    public readonly int Of(int missing, int most, bool everyRow)
    {
        var count = Math.Min(Math.Min(missing, most), Math.Min(Tokens, promptTokens));
        return everyRow ? Math.Min(count, rows) : rows > 0 ? count : 0;
    }

    /// <summary>Takes a share out.</summary>
    public void Take(in Share share) => Add(share, -1);

    /// <summary>Puts a share back.</summary>
    public void Return(in Share share) => Add(share, 1);

    private void Add(in Share share, int sign)
    {
        Tokens += sign * share.Count;
        if (share.IsPrompt) promptTokens += sign * share.Count;
        rows += sign * (!share.IsPrompt || share.Sequence.WantsPromptLogits ? share.Count : 1);
    }
}
