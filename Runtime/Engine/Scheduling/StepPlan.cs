using System.Runtime.InteropServices;
using Microsoft.Extensions.ObjectPool;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// One step as flat int arrays: the only value that crosses from scheduling to the forward pass. Tokens of one sequence are neighbours, in order.
/// Pooled: its arrays only grow.
/// </summary>
internal sealed class StepPlan : IResettable
{
    private readonly List<int> tokens = [];
    private readonly List<int> positions = [];
    private readonly List<int> slots = [];
    private readonly List<int> tableStarts = [];
    private readonly List<int> tables = [];
    private readonly List<int> logitRows = [];
    private readonly List<SequenceChunk> chunks = [];

    /// <summary>[tokens] what enters the decoder.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(tokens);

    /// <summary>[tokens] place of each token in its own sequence, from 0.</summary>
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(positions);

    /// <summary>[tokens] where its key and value go: block · blockTokens + place in the block.</summary>
    public ReadOnlySpan<int> Slots => CollectionsMarshal.AsSpan(slots);

    /// <summary>[tokens] where in <see cref="Tables"/> the block table of the token's sequence begins.</summary>
    public ReadOnlySpan<int> TableStarts => CollectionsMarshal.AsSpan(tableStarts);

    /// <summary>The block tables of all sequences of the step, one behind the other.</summary>
    public ReadOnlySpan<int> Tables => CollectionsMarshal.AsSpan(tables);

    /// <summary>[logits] rows of <see cref="Tokens"/> after which logits are asked for.</summary>
    public ReadOnlySpan<int> LogitRows => CollectionsMarshal.AsSpan(logitRows);

    /// <summary>Which sequence has which rows.</summary>
    public ReadOnlySpan<SequenceChunk> Chunks => CollectionsMarshal.AsSpan(chunks);

    /// <summary>The largest position of the step; −1 where it has nothing to do.</summary>
    public int LastPosition => tokens.Count == 0 ? -1 : positions.Max();

    /// <summary>Whether every token is the last of its sequence and the next one is asked for.</summary>
    public bool IsDecoding => tokens.Count > 0 && chunks.Count == tokens.Count && logitRows.Count == tokens.Count;

    /// <summary>True if the step has nothing to do.</summary>
    public bool IsEmpty => tokens.Count == 0;

    /// <summary>Adds the next <paramref name="count"/> tokens of a sequence whose block table has room for them.</summary>
    public void Add(Sequence sequence, int count, int blockTokens, LogitsOf logits)
    {
        var (firstRow, firstLogits) = (tokens.Count, logitRows.Count);
        var table = tables.Count;
        tables.AddRange(sequence.BlockTable);
        for (var i = 0; i < count; i++)
        {
            var position = sequence.Computed + i;
            tokens.Add(sequence.TokenAt(position));
            positions.Add(position);
            slots.Add((sequence.BlockTable[position / blockTokens] * blockTokens) + (position % blockTokens));
            tableStarts.Add(table);
        }

        // After the last token and after every guess behind it the next one is asked for.
        var last = sequence.Tokens.Count - 1 - sequence.Computed;
        for (var i = logits == LogitsOf.EveryToken ? 0 : last; i < count; i++) logitRows.Add(firstRow + i);
        var samples = last < count ? logitRows.Count - count + last : -1;
        chunks.Add(new SequenceChunk(sequence, count, samples)
        { Start = sequence.Computed, FirstLogitRow = firstLogits, Rows = logitRows.Count - firstLogits });
    }

    /// <summary>Empties the plan for the next step.</summary>
    public bool TryReset()
    {
        tokens.Clear();
        positions.Clear();
        slots.Clear();
        tableStarts.Clear();
        tables.Clear();
        logitRows.Clear();
        chunks.Clear();
        return true;
    }
}

/// <summary>The rows of one sequence in a step.</summary>
/// <param name="Sequence">Whose they are.</param>
/// <param name="Count">How many tokens.</param>
/// <param name="LogitRow">The row of the step's logits that the next token is sampled from; −1 while the prompt is not finished.</param>
internal readonly record struct SequenceChunk(Sequence Sequence, int Count, int LogitRow)
{
    /// <summary>The position of its first token.</summary>
    public required int Start { get; init; }

    /// <summary>The first of its rows of the step's logits, where there are any.</summary>
    public required int FirstLogitRow { get; init; }

    /// <summary>How many rows of logits it has, after its last tokens.</summary>
    public required int Rows { get; init; }
}

/// <summary>After which tokens logits are asked for.</summary>
internal enum LogitsOf
{
    /// <summary>The last token a sequence has, to sample the next one.</summary>
    LastToken,

    /// <summary>Every token, to compare implementations.</summary>
    EveryToken,
}
