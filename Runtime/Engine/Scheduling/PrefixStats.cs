namespace Quilt.Runtime.Scheduling;

/// <summary>
/// What the prefix cache was asked and what it gave, in tokens. Counted when a sequence is admitted, once, however often it was looked up before; one
/// that comes back after it gave its blocks away counts apart.
/// </summary>
internal sealed class PrefixStats
{
    /// <summary>Sequences admitted.</summary>
    public long Requests { get; private set; }

    /// <summary>Tokens of theirs.</summary>
    public long Queries { get; private set; }

    /// <summary>Tokens found.</summary>
    public long Hits { get; private set; }

    /// <summary>Of these, tokens that were brought from the tiers behind the cache.</summary>
    public TierTokens FromTiers { get; private set; }

    /// <summary>Sequences admitted again.</summary>
    public long PreemptedRequests { get; private set; }

    /// <summary>Tokens of theirs, their output included.</summary>
    public long PreemptedQueries { get; private set; }

    /// <summary>Tokens found.</summary>
    public long PreemptedHits { get; private set; }

    /// <summary>Counts an admission.</summary>
    public void Count(Sequence sequence, int hits)
    {
        if (sequence.WasPreempted)
        {
            PreemptedRequests++;
            PreemptedQueries += sequence.Tokens.Count;
            PreemptedHits += hits;
        }
        else
        {
            Requests++;
            Queries += sequence.Tokens.Count;
            Hits += hits;
            FromTiers += sequence.FromTiers;
        }
    }
}
