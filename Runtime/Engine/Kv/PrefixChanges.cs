namespace Quilt.Runtime.Kv;

/// <summary>
/// What came into a <see cref="PrefixIndex"/> and went out of it since it was last asked, so that others can be told. Of a block that came and went
/// only the last counts. One thread, the index's own.
/// </summary>
internal sealed class PrefixChanges
{
    private readonly Dictionary<BlockHash, bool> last = [];  // true: it came

    /// <summary>Whether there is nothing to tell.</summary>
    public bool IsEmpty => last.Count == 0;

    /// <summary>Notes that a block can be found now (true), or no more: for <see cref="PrefixIndex.Changed"/>.</summary>
    public void Note(BlockHash hash, bool isThere) => last[hash] = isThere;

    /// <summary>Appends what is to be told, and forgets it.</summary>
    public void Drain(List<BlockHash> came, List<BlockHash> went)
    {
        foreach (var (hash, isThere) in last) (isThere ? came : went).Add(hash);
        last.Clear();
    }
}
