using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// Log probabilities, or logits, as a request asks for them: of the chosen token, of the most likely ones and of those it names. What it gives out
/// belongs to the caller. One thread.
/// </summary>
internal sealed class ProbabilityReport
{
    private readonly Survivors survivors = new();
    private float[] row = [];
    private float[] order = [];
    private int[] ids = [];
    private ulong[] places = [];
    private double logSum;

    /// <summary>Remembers a row of logits as the distribution to report.</summary>
    /// <param name="logits">[vocabulary].</param>
    public void Keep(ReadOnlySpan<float> logits)
    {
        Reserve(logits.Length);
        logits.CopyTo(row);
        logSum = Softmax.LogSum(logits);
    }

    /// <summary>Remembers what truncation left of a row as the distribution to report.</summary>
    /// <param name="logits">[vocabulary] the row, penalized.</param>
    /// <param name="left">What is left.</param>
    /// <param name="scale">What logits are multiplied with.</param>
    public void Keep(ReadOnlySpan<float> logits, Truncation left, double scale)
    {
        Reserve(logits.Length);
        row.AsSpan(0, logits.Length).Fill(float.NegativeInfinity);
        foreach (var id in left.Ids) row[id] = (float)(logits[id] * scale);
        logSum = Softmax.LogSum(row.AsSpan(0, logits.Length));
    }

    /// <summary>A choice with what is asked for, of the distribution kept last.</summary>
    public TokenChoice Of(int token, int vocabulary, SamplingOptions options)
    {
        var logits = row.AsSpan(0, vocabulary);
        var offset = Offset(options, logSum);
        return new(token, (float)(logits[token] - offset), Top(logits, offset, options.TopLogProbabilities))
        {
            Asked = Asked(logits, offset, options),
        };
    }

    /// <summary>The same of the model's own distribution from part of a row, if its largest logits and all named tokens are known.</summary>
    public TokenChoice Of(int token, in Candidates part, double partLogSum, SamplingOptions options)
    {
        var offset = Offset(options, partLogSum);
        var asked = options.LogProbabilityTokens.Count == 0 ? null : new TokenProbability[options.LogProbabilityTokens.Count];
        for (var i = 0; i < asked?.Length; i++)
        {
            var id = options.LogProbabilityTokens[i];
            asked[i] = new(id, (float)(part.Of(id) - offset));
        }
        return new(token, (float)(part.Of(token) - offset), Top(part, offset, options.TopLogProbabilities)) { Asked = asked };
    }

    private static double Offset(SamplingOptions options, double logSum) =>
        options.LogProbabilityKind is LogProbabilityKind.Raw or LogProbabilityKind.Processed ? logSum : 0;

    private static TokenProbability[]? Asked(ReadOnlySpan<float> logits, double offset, SamplingOptions options)
    {
        var tokens = options.LogProbabilityTokens;
        if (tokens.Count == 0) return null;
        var asked = new TokenProbability[tokens.Count];
        for (var i = 0; i < asked.Length; i++) asked[i] = new(tokens[i], (float)(logits[tokens[i]] - offset));
        return asked;
    }

    private TokenProbability[] Top(ReadOnlySpan<float> logits, double offset, int most)
    {
        if (most == 0) return [];
        survivors.Find(logits, most < 0 || most >= logits.Length ? 0 : most, float.PositiveInfinity);
        Reserve(survivors.Ids.Length);
        survivors.Ids.CopyTo(ids);
        survivors.Values.CopyTo(order);
        return Top(survivors.Ids.Length, offset, most);
    }

    private TokenProbability[] Top(in Candidates part, double offset, int most)
    {
        if (most == 0) return [];
        Reserve(part.Taken.Length + part.Logits.Length);
        var count = 0;
        for (var i = 0; i < part.Taken.Length; i++) Add(part.Taken[i] - part.TakenBase, part.TakenLogits[i], ref count);
        // What was taken out of the row stands among the largest as −∞, where there are no others.
        for (var i = 0; i < part.Logits.Length; i++) Add((int)part.Ids[i], part.Logits[i], ref count);
        return Top(count, offset, most);
    }

    private void Add(int id, float logit, ref int count)
    {
        if (logit == float.NegativeInfinity) return;
        (ids[count], order[count]) = (id, logit);
        count++;
    }

    /// <summary>The largest of the first so many, of equals the lower ids, in the order of a device's search, in which −0 stands below 0.</summary>
    private TokenProbability[] Top(int count, double offset, int most)
    {
        // Equal logits in the order of ids: each is made one number with its place among ascending ids.
        Array.Sort(ids, order, 0, count);
        for (var i = 0; i < count; i++) places[i] = ((ulong)~TopKOp.Key(BitConverter.SingleToUInt32Bits(order[i])) << 32) | (uint)i;
        Array.Sort(places, 0, count);
        var top = new TokenProbability[most < 0 ? count : Math.Min(most, count)];
        for (var i = 0; i < top.Length; i++)
        {
            var at = (int)(uint)places[i];
            top[i] = new(ids[at], (float)(order[at] - offset));
        }
        return top;
    }

    private void Reserve(int tokens)
    {
        if (row.Length >= tokens) return;
        (row, order, ids, places) = (new float[tokens], new float[tokens], new int[tokens], new ulong[tokens]);
    }
}
