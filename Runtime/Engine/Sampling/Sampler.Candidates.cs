using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Sampling;

internal sealed partial class Sampler
{
    private float[] changed = [];
    private int[] ids = [];
    private float[] values = [];

    /// <summary>Chooses a token from part of a row, if that is the token that the whole row would give; otherwise nothing has happened.</summary>
    /// <param name="row">What is known.</param>
    /// <param name="state">What the request wants and has seen.</param>
    /// <param name="output">Tokens chosen so far.</param>
    /// <param name="chosen">As of <see cref="Sample"/>.</param>
    public bool TrySample(in Candidates row, SamplerState state, ReadOnlySpan<int> output, out TokenChoice chosen)
    {
        var options = state.Options;
        chosen = default;
        // Where numbers are none, and where all are −∞, the whole row tells what is wrong.
        var logSum = options.WantsProbabilities ? row.LogSum() : 0;
        if (double.IsNaN(logSum)) return false;
        var token = state.Thinking.Forced;
        if (token < 0)
        {
            // The sum is no number where any of them is none.
            if (!row.HoldsFew && !(float.IsFinite(row.Logits[0]) && float.IsFinite(row.Sum))) return false;
            var count = Gather(row, state, output);
            token = options.IsGreedy ? Best(row, count, state) : TryDraw(row, count, state);
        }
        if (token < 0) return false;
        chosen = options.WantsProbabilities ? report.Of(token, row, logSum, options) : new(token, float.NaN, []);
        state.Accept(token);
        return true;
    }

    /// <summary>All that is known and may come, in no order, the taken ones in front and as the options change them.</summary>
    private int Gather(in Candidates row, SamplerState state, ReadOnlySpan<int> output)
    {
        Reserve(row.Taken.Length + row.Logits.Length);
        if (changed.Length < row.Vocabulary) changed = new float[row.Vocabulary];
        var mask = state.Mask.Span;
        var count = 0;
        if (row.Taken.Length > 0)
        {
            // A row that is right where the options change it.
            var whole = changed.AsSpan(0, row.Vocabulary);
            for (var i = 0; i < row.Taken.Length; i++) whole[row.Taken[i] - row.TakenBase] = row.TakenLogits[i];
            Penalties.ApplyToAllowed(whole, state, output);
            foreach (var place in row.Taken)
            {
                var id = place - row.TakenBase;
                var isOut = (!mask.IsEmpty && !VocabularyMask.Allows(mask, id))
                    || (state.Allowed is { } allowed && allowed.AsSpan().BinarySearch(id) < 0);
                (ids[count], values[count++]) = (id, isOut ? float.NegativeInfinity : whole[id]);
            }
        }
        if (row.HoldsFew) return count;
        for (var i = 0; i < row.Logits.Length && row.Logits[i] != float.NegativeInfinity; i++)
        {
            var id = (int)row.Ids[i];
            if (mask.IsEmpty || VocabularyMask.Allows(mask, id)) (ids[count], values[count++]) = (id, row.Logits[i]);
        }
        return count;
    }

    // As the largest of the row; −1 where that may be another, or is no finite number.
    private int Best(in Candidates row, int count, SamplerState state)
    {
        var (token, best) = (-1, TopKOp.Key(BitConverter.SingleToUInt32Bits(float.NegativeInfinity)));
        for (var i = 0; i < count; i++)
        {
            if (float.IsNaN(values[i])) return -1;
            var key = TopKOp.Key(BitConverter.SingleToUInt32Bits(values[i]));
            if (key > best || (key == best && ids[i] < token)) (token, best) = (ids[i], key);
        }
        var reach = row.HoldsFew ? float.NegativeInfinity : row.Reach;
        var isBeyond = best > TopKOp.Key(BitConverter.SingleToUInt32Bits(reach));
        // Without a grammar the largest of the others is among the known ones.
        return best < TopKOp.Key(BitConverter.SingleToUInt32Bits(float.PositiveInfinity)) && (isBeyond || state.Mask.IsEmpty) ? token : -1;
    }

    private int TryDraw(in Candidates row, int count, SamplerState state)
    {
        var options = state.Options;
        var sum = state.Mask.IsEmpty ? options.Temperature == 1 ? row.Sum : row.ScaledSum : double.NaN;
        var others = row.HoldsFew
            ? new Unknown(float.NegativeInfinity, float.NegativeInfinity, 0, count)
            : new Unknown(row.Reach, row.Logits[0], sum, row.Taken.Length);
        return truncation.TryRun(ids.AsSpan(0, count), values.AsSpan(0, count), others, options, row.Vocabulary) ? Draw(state) : -1;
    }

    private void Reserve(int tokens)
    {
        if (ids.Length < tokens) (ids, values) = (new int[2 * tokens], new float[2 * tokens]);
    }
}
