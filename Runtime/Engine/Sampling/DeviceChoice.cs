using System.Diagnostics;
using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// Chooses tokens where the logits lie on a GPU: a step brings back what the choices need, not all logits. Logits that options change are taken out
/// of their row and come back as they are, to be changed by the same code as on a CPU; of the others come the largest. Where that does not decide, a
/// row comes back whole: the choice is always the one that the whole row gives. Used by one thread; one step at a time: <see cref="Begin()"/>,
/// <see cref="Add"/> and <see cref="Place"/> before the forward pass, <see cref="Run"/> after it, then <see cref="TrySample"/>, on any threads.
/// </summary>
internal sealed class DeviceChoice(int vocabulary)
{
    /// <summary>More logits of one row than this are not worth taking out.</summary>
    private const int MostTaken = AllowedFew.Most;

    private readonly AllowedFew few = new();
    private readonly List<Row> rows = [];
    private readonly List<int> places = [];
    private readonly List<int> scales = [];
    private readonly int[] marks = new int[vocabulary];
    private int mark;
    private int k;
    private int placesAt;
    private int scalesAt;
    private Matrix logits;
    private Matrix found;

    /// <summary>Most bytes of a GPU's scratch memory that a choice takes beside the logits.</summary>
    public static long ScratchBytes(long rows, int vocabulary)
    {
        var most = Math.Min(TopKOp.MostK, vocabulary);
        return TopKOp.ScratchBytes(rows, vocabulary, most) + (rows * (TopKOp.Width(most) + Math.Min(MostTaken, vocabulary)) * sizeof(float));
    }

    /// <summary>Rows of the last step that came back whole.</summary>
    public int WholeRows { get; private set; }

    /// <summary>Announces the rows of a step's logits and places what choosing from them needs beside the step's inputs.</summary>
    public void Begin(StepPlan plan, OpStream ops)
    {
        Begin();
        foreach (var chunk in plan.Chunks)
        {
            // Rows that are only looked at stand before the one that is chosen from.
            for (var row = chunk.LogitRow < 0 ? 0 : 1; row < chunk.Rows; row++) Pass();
            if (chunk.LogitRow >= 0) Add(chunk.Sequence.Sampling!);
        }
        Place(ops);
    }

    /// <summary>Forgets the last step.</summary>
    public void Begin()
    {
        WholeRows = 0;
        rows.Clear();
        places.Clear();
        scales.Clear();
        (k, placesAt, scalesAt) = (0, -1, -1);
    }

    /// <summary>The next row of logits will be one that this request chooses from.</summary>
    public void Add(SamplerState state)
    {
        var takesAll = state.Thinking.Forced >= 0 || few.TryFind(state, vocabulary);
        var demand = RowDemand.Of(state, takesAll, vocabulary);
        var first = places.Count;
        var begin = (long)rows.Count * vocabulary;
        var whole = demand.K == 0 || begin + vocabulary > int.MaxValue || !TryTake(state, takesAll, (int)begin);
        if (whole) places.RemoveRange(first, places.Count - first);
        else k = Math.Max(k, demand.K);
        rows.Add(new(first, places.Count - first, whole, takesAll));
        scales.Add(BitConverter.SingleToInt32Bits(whole ? 0 : demand.Scale));
    }

    /// <summary>Nothing will be chosen from the next row.</summary>
    private void Pass()
    {
        rows.Add(new(places.Count, 0, IsWhole: false, default));
        scales.Add(0);
    }

    /// <summary>Puts what the step's choice needs beside its inputs, behind those of the forward pass.</summary>
    public void Place(OpStream ops)
    {
        if (k == 0) return;
        scalesAt = ops.Place(CollectionsMarshal.AsSpan(scales)).Offset;
        if (places.Count > 0) placesAt = ops.Place(CollectionsMarshal.AsSpan(places)).Offset;
    }

    /// <summary>Finds what the choices need and waits for it.</summary>
    /// <param name="ops">The stream.</param>
    /// <param name="step">[rows, vocabulary] the step's logits; changed.</param>
    public void Run(OpStream ops, Matrix step)
    {
        Debug.Assert(step.Rows == rows.Count && (step.Columns == vocabulary || step.Rows == 0), "choice: not the rows that were announced");
        logits = step;
        if (rows.Count == 0) return;
        if (k == 0)
        {
            WholeRows = rows.Count;
            found = ops.ToHost(logits);
            return;
        }
        var width = TopKOp.Width(k);
        var results = ops.Scratch(1, (rows.Count * width) + places.Count);
        if (places.Count > 0)
            ops.TakeOut(logits, new Ints(CollectionsMarshal.AsSpan(places), placesAt), results.Part((long)rows.Count * width, 1, places.Count));
        ops.TopK(logits, k, new Ints(CollectionsMarshal.AsSpan(scales), scalesAt), results.Part(0, rows.Count, width));
        for (var row = 0; row < rows.Count; row++)
        {
            if (!rows[row].IsWhole) continue;
            rows[row] = rows[row] with { Brought = ops.Bring(logits.Slice(row, 1)) };
            WholeRows++;
        }
        found = ops.ToHost(results);
    }

    /// <summary>
    /// Chooses a token from what came back of a row and takes note of it, as <see cref="Sampler.Sample"/> does; false if that does not decide: then
    /// nothing has happened. Any thread, rows in any order.
    /// </summary>
    public bool TrySample(Sampler by, int row, SamplerState state, ReadOnlySpan<int> output, out TokenChoice chosen)
    {
        if (k > 0 && !rows[row].IsWhole) return by.TrySample(CandidatesOf(row), state, output, out chosen);
        chosen = by.Sample(k == 0 ? found.Row(row) : rows[row].Brought.Values, state, output);
        return true;
    }

    /// <summary>The same where that did not decide: the whole row is brought.</summary>
    public TokenChoice SampleWhole(OpStream ops, Sampler by, int row, SamplerState state, ReadOnlySpan<int> output) =>
        by.Sample(Whole(ops, row), state, output);

    private Candidates CandidatesOf(int row)
    {
        var width = TopKOp.Width(k);
        var best = found.Values.Slice(row * width, width);
        return new Candidates
        {
            Vocabulary = vocabulary,
            HoldsFew = rows[row].HoldsFew,
            Taken = CollectionsMarshal.AsSpan(places).Slice(rows[row].First, rows[row].Count),
            TakenBase = row * vocabulary,
            TakenLogits = TakenLogits(row),
            Logits = best[..k],
            Ids = best.Slice(k, k),
            Sum = best[2 * k],
            ScaledSum = best[(2 * k) + 1],
        };
    }

    private ReadOnlySpan<float> TakenLogits(int row) => found.Values.Slice((rows.Count * TopKOp.Width(k)) + rows[row].First, rows[row].Count);

    /// <summary>A row on the host as the forward pass made it.</summary>
    private Span<float> Whole(OpStream ops, int row)
    {
        WholeRows++;
        var whole = ops.ToHost(logits.Slice(row, 1)).Values;
        var taken = CollectionsMarshal.AsSpan(places).Slice(rows[row].First, rows[row].Count);
        var values = TakenLogits(row);
        for (var i = 0; i < taken.Length; i++) whole[taken[i] - (row * vocabulary)] = values[i];
        return whole;
    }

    /// <summary>Takes every token whose logit the request's options may change, or that it asks about; false if they are too many.</summary>
    private bool TryTake(SamplerState state, bool takesAll, int begin)
    {
        var options = state.Options;
        var limit = places.Count + MostTaken;
        mark++;
        for (var i = 0; i < options.LogProbabilityTokens.Count; i++) Take(options.LogProbabilityTokens[i], begin);
        if (takesAll)
        {
            if (state.Thinking.Forced is >= 0 and var forced) Take(forced, begin);
            else Take(few.Ids, begin);
            return places.Count <= limit;
        }
        if (state.Seen.Ids.Length + state.BiasedTokens.Length > MostTaken) return false;
        for (var i = 0; i < options.BadWords.Count; i++) Take(options.BadWords[i][^1], begin);
        if (state.OutputTokens < options.MinTokens) Take(state.EndTokens, begin);
        Take(state.BiasedTokens, begin);
        Take(state.Seen.Ids, begin);
        return places.Count <= limit;
    }

    private void Take(ReadOnlySpan<int> ids, int begin)
    {
        foreach (var id in ids) Take(id, begin);
    }

    // Each once: a second reading would find it taken.
    private void Take(int id, int begin)
    {
        if ((uint)id >= (uint)vocabulary || marks[id] == mark) return;
        marks[id] = mark;
        places.Add(begin + id);
    }

    /// <summary>A row of logits.</summary>
    /// <param name="First">Its first place.</param>
    /// <param name="Count">How many it has.</param>
    /// <param name="IsWhole">Whether the choice needs all of it.</param>
    /// <param name="HoldsFew">Whether its places are all tokens that may come.</param>
    private readonly record struct Row(int First, int Count, bool IsWhole, bool HoldsFew)
    {
        /// <summary>The whole row on the host, where it was clear from the start that it is needed.</summary>
        public Matrix Brought { get; init; }
    }
}
