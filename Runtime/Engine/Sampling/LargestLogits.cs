using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Sampling;

/// <summary>Finds the most likely tokens of a row. One thread.</summary>
internal sealed class LargestLogits
{
    private readonly List<(int Id, float Logit, uint Key)> best = [];
    private int most;

    /// <summary>The <paramref name="count"/> largest logits of a whole row, of equals the lower ids, as probabilities.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="logSum">Logarithm of the sum of all exponentials.</param>
    /// <param name="count">How many; 0: none.</param>
    public IReadOnlyList<TokenProbability> Of(ReadOnlySpan<float> logits, double logSum, int count)
    {
        if (count == 0) return [];
        Begin(count);
        for (var id = 0; id < logits.Length; id++) Offer(id, logits[id]);
        return Take(logSum);
    }

    /// <summary>The same of some logits of a row, if those are the largest and in any order.</summary>
    public IReadOnlyList<TokenProbability> Of(in Candidates row, double logSum, int count)
    {
        if (count == 0) return [];
        Begin(count);
        for (var i = 0; i < row.Taken.Length; i++) Offer(row.Taken[i] - row.TakenBase, row.TakenLogits[i]);
        // What was taken out of the row stands among the largest as −∞, where there are no others.
        for (var i = 0; i < row.Logits.Length; i++)
        {
            var id = (int)row.Ids[i];
            if (!row.Taken.Contains(id + row.TakenBase)) Offer(id, row.Logits[i]);
        }
        return Take(logSum);
    }

    private void Begin(int count)
    {
        most = count;
        best.Clear();
    }

    // Few are asked for: nearly every logit is turned away by one comparison.
    private void Offer(int id, float logit)
    {
        // In the order of a device's search, in which −0 stands below 0 and a NaN above or below all numbers.
        var key = TopKOp.Key(BitConverter.SingleToUInt32Bits(logit));
        if (best.Count == most && !Precedes(id, key, best[^1])) return;
        if (best.Count == most) best.RemoveAt(most - 1);
        var at = best.Count;
        while (at > 0 && Precedes(id, key, best[at - 1])) at--;
        best.Insert(at, (id, logit, key));
    }

    private TokenProbability[] Take(double logSum)
    {
        var taken = new TokenProbability[best.Count];
        for (var i = 0; i < taken.Length; i++) taken[i] = new(best[i].Id, (float)(best[i].Logit - logSum));
        return taken;
    }

    private static bool Precedes(int id, uint key, (int Id, float Logit, uint Key) other) => key > other.Key || (key == other.Key && id < other.Id);
}
