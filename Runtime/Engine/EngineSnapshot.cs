namespace Quilt.Runtime;

/// <summary>What an engine does, as of its last step. Counts run from the engine's start.</summary>
public readonly record struct EngineSnapshot
{
    /// <summary>Steps made.</summary>
    public long Steps { get; init; }

    /// <summary>Requests that run.</summary>
    public int Running { get; init; }

    /// <summary>Requests that wait for their turn.</summary>
    public int Waiting { get; init; }

    /// <summary>Blocks of the cache.</summary>
    public int Blocks { get; init; }

    /// <summary>Blocks that running requests hold.</summary>
    public int BlocksUsed { get; init; }

    /// <summary>Blocks whose content can be found again, held or not.</summary>
    public int BlocksCached { get; init; }

    /// <summary>Part of the cache that is held, from 0 to 1.</summary>
    public double CacheUsage => Blocks == 0 ? 0 : (double)BlocksUsed / Blocks;

    /// <summary>Tokens of prompts, computed and found.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Tokens that were looked for in the prefix cache.</summary>
    public long PrefixQueries { get; init; }

    /// <summary>Tokens that were found there.</summary>
    public long PrefixHits { get; init; }

    /// <summary>Of these, tokens that were brought from the tiers behind the cache.</summary>
    public TierTokens FromTiers { get; init; }

    /// <summary>Part of the tokens looked for that were found, from 0 to 1; 0 where none were.</summary>
    public double HitRate => PrefixQueries == 0 ? 0 : (double)PrefixHits / PrefixQueries;

    /// <summary>Times a request had to give its blocks back and was computed again.</summary>
    public long Preemptions { get; init; }

    /// <summary>Requests that have ended, for whatever reason.</summary>
    public long Finished { get; init; }
}

/// <summary>
/// The last snapshot: one thread writes it after every step, any number read it, nobody waits. A reader that meets a writer reads again.
/// </summary>
internal sealed class SnapshotCell
{
    private EngineSnapshot value;
    private int version;                                     // odd while it is written

    /// <summary>The last one.</summary>
    public EngineSnapshot Read()
    {
        while (true)
        {
            var before = Volatile.Read(ref version);
            var copy = value;
            Interlocked.MemoryBarrier();
            if (before % 2 == 0 && Volatile.Read(ref version) == before) return copy;
        }
    }

    /// <summary>The next one.</summary>
    public void Write(in EngineSnapshot next)
    {
        Interlocked.Increment(ref version);
        value = next;
        Interlocked.Increment(ref version);
    }
}
