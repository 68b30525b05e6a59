using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Which token goes to which expert, and with what gate. Filled by Route, then sorted by expert: a <i>pair</i> is one (token, expert), and pairs of
/// one expert are neighbours, tokens ascending. Reused from step to step; its arrays only grow.
/// </summary>
internal sealed partial class ExpertPlan : IDisposable
{
    /// <summary>Tokens in the plan.</summary>
    public int Tokens { get; private set; }

    /// <summary>Experts a token goes to.</summary>
    public int PerToken { get; private set; }

    /// <summary>Experts there are; where <see cref="HasElsewhere"/>, one of them, the last, stands for all that other devices have.</summary>
    public int Experts { get; private set; }

    /// <summary>
    /// Whether the last expert stands for those of other devices: its pairs have rows like any other's, which nobody computes, and gates of zero.
    /// </summary>
    public bool HasElsewhere { get; private set; }

    /// <summary>Tokens · PerToken.</summary>
    public int Pairs => Tokens * PerToken;

    /// <summary>[tokens, perToken] the chosen experts, ascending for each token.</summary>
    public int[] Ids { get; private set; } = [];

    /// <summary>[tokens, perToken] what each chosen expert's output is multiplied with.</summary>
    public float[] Gates { get; private set; } = [];

    /// <summary>[experts + 1] expert e has the pairs Offsets[e] .. Offsets[e + 1] − 1.</summary>
    public int[] Offsets { get; private set; } = [];

    /// <summary>[pairs] the token of a pair.</summary>
    public int[] PairToken { get; private set; } = [];

    /// <summary>[pairs] the expert of a pair.</summary>
    public int[] PairExpert { get; private set; } = [];

    /// <summary>[tokens, perToken] the pair of a token's j-th expert.</summary>
    public int[] PairOf { get; private set; } = [];

    /// <summary>[activeExperts] experts that have at least one pair, ascending; the first <see cref="ActiveCount"/> entries count.</summary>
    public int[] Active { get; private set; } = [];

    /// <summary>Experts that have at least one pair.</summary>
    public int ActiveCount { get; private set; }

    /// <summary>What the output of one of its experts is multiplied with for a token.</summary>
    public float GateOf(int token, int expert) => Gates[(token * PerToken) + Ids.AsSpan(token * PerToken, PerToken).IndexOf(expert)];

    /// <summary>
    /// Makes room for a step's choices; <see cref="Ids"/> and <see cref="Gates"/> are then to be filled and <see cref="Sort"/> called.
    /// </summary>
    public void Prepare(int tokens, int perToken, int experts)
    {
        (Tokens, PerToken, Experts, HasElsewhere) = (tokens, perToken, experts, false);
        isOnGpu = false;
        if (Ids.Length < Pairs)
        {
            var size = Math.Max(Pairs, 2 * Ids.Length);
            Ids = new int[size];
            Gates = new float[size];
            PairToken = new int[size];
            PairExpert = new int[size];
            PairOf = new int[size];
        }
        if (Offsets.Length < experts + 1)
        {
            Offsets = new int[experts + 1];
            Active = new int[experts];
        }
    }

    /// <summary>Experts that may be active: those that are here.</summary>
    internal int Listed => HasElsewhere ? Experts - 1 : Experts;

    /// <summary>
    /// Takes another plan's choices, of which the experts from <paramref name="first"/> on, <paramref name="count"/> of them, are here and are
    /// numbered from 0. The plan is as long as the other; it is sorted.
    /// </summary>
    public void Keep(OpStream ops, ExpertPlan from, int first, int count)
    {
        Prepare(from.Tokens, from.PerToken, count + 1);
        HasElsewhere = true;
        if (ops.Gpu is not null)
        {
            KeepOnGpu(ops.Gpu, from, first, count);
            return;
        }
        for (var i = 0; i < Pairs; i++)
        {
            var expert = from.Ids[i] - first;
            var isHere = expert >= 0 && expert < count;
            (Ids[i], Gates[i]) = isHere ? (expert, from.Gates[i]) : (count, 0);
        }
        Sort();
    }

    /// <summary>Sorts the pairs by expert (a counting sort: stable, linear).</summary>
    public void Sort()
    {
        var next = Offsets.AsSpan(0, Experts + 1);
        next.Clear();
        for (var i = 0; i < Pairs; i++) next[Ids[i] + 1]++;
        ActiveCount = 0;
        for (var e = 0; e < Experts; e++)
        {
            if (next[e + 1] > 0 && e < Listed) Active[ActiveCount++] = e;
            next[e + 1] += next[e];
        }
        for (var i = 0; i < Pairs; i++)
        {
            var pair = next[Ids[i]]++;
            PairToken[pair] = i / PerToken;
            PairExpert[pair] = Ids[i];
            PairOf[i] = pair;
        }
        // The fill moved every start to the next one's place: move them back.
        for (var e = Experts; e > 0; e--) next[e] = next[e - 1];
        next[0] = 0;
    }
}
