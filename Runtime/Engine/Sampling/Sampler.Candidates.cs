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
        var count = Gather(row, state, output);
        var token = options.IsGreedy ? Best(count) : TryDraw(row, count, state);
        if (token < 0) return false;
        var logSum = options.WantsProbabilities ? row.LogSum() : double.NaN;
        chosen = options.WantsProbabilities
            ? new(token, (float)(row.Of(token) - logSum), largest.Of(row, logSum, options.TopLogProbabilities))
            : new(token, float.NaN, []);
        state.Accept(token);
        return true;
    }

    /// <summary>All that is known, in no order, the taken ones in front and as the options change them.</summary>
    private int Gather(in Candidates row, SamplerState state, ReadOnlySpan<int> output)
    {
        var most = row.Taken.Length + row.Logits.Length;
        if (ids.Length < most) (ids, values) = (new int[2 * most], new float[2 * most]);
        if (changed.Length < row.Vocabulary) changed = new float[row.Vocabulary];
        var count = 0;
        if (row.Taken.Length > 0)
        {
            // A row that is right where the options change it.
            var whole = changed.AsSpan(0, row.Vocabulary);
            for (var i = 0; i < row.Taken.Length; i++) whole[row.Taken[i] - row.TakenBase] = row.TakenLogits[i];
            Penalties.Apply(whole, state, output);
            foreach (var place in row.Taken) (ids[count], values[count++]) = (place - row.TakenBase, whole[place - row.TakenBase]);
        }
        if (state.Options.AllowedTokens is not null) return count;
        for (var i = 0; i < row.Logits.Length && row.Logits[i] != float.NegativeInfinity; i++)
            (ids[count], values[count++]) = ((int)row.Ids[i], row.Logits[i]);
        return count;
    }

    // As ArgMax; −1 where nothing is above −∞, since then all tokens are equal.
    private int Best(int count)
    {
        var (token, best) = (-1, TopKOp.Key(BitConverter.SingleToUInt32Bits(float.NegativeInfinity)));
        for (var i = 0; i < count; i++)
        {
            var key = TopKOp.Key(BitConverter.SingleToUInt32Bits(values[i]));
            if (key > best || (key == best && ids[i] < token)) (token, best) = (ids[i], key);
        }
        return token;
    }

    private int TryDraw(in Candidates row, int count, SamplerState state)
    {
        var options = state.Options;
        var others = options.AllowedTokens is not null
            ? new Unknown(float.NegativeInfinity, float.NegativeInfinity, 0, count)
            : new Unknown(row.Reach, row.Logits[0], options.Temperature == 1 ? row.Sum : row.ScaledSum, row.Taken.Length);
        return truncation.TryRun(ids.AsSpan(0, count), values.AsSpan(0, count), others, options, row.Vocabulary) ? Draw(state) : -1;
    }
}
