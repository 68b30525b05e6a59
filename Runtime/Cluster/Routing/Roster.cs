namespace Quilt.Cluster.Routing;

/// <summary>
/// The replicas that can take a request, sorted by name. Kept from pick to pick: as long as the same ones come in the same order nothing is sorted
/// again, so that a pick among a thousand costs a walk along them.
/// </summary>
internal sealed class Roster
{
    private readonly List<ReplicaState> given = [];          // in the caller's order
    private readonly List<ReplicaState> sorted = [];
    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);

    /// <summary>Counts changes of who is in it, so that what was derived from it can be told to be old.</summary>
    public int Version { get; private set; }

    /// <summary>How many there are.</summary>
    public int Count => sorted.Count;

    /// <summary>The replicas by name.</summary>
    public ReplicaState this[int place] => sorted[place];

    /// <summary>The place of a name; −1 where it is not in it.</summary>
    public int PlaceOf(string name) => places.TryGetValue(name, out var place) ? place : -1;

    /// <summary>Takes those of <paramref name="replicas"/> that can take a request and are not <paramref name="except"/>.</summary>
    public void Fill(RoutingRequest request, ReplicaRole role, IReadOnlyList<ReplicaState> replicas, IReadOnlySet<string>? except)
    {
        var count = 0;
        var changed = false;
        for (var i = 0; i < replicas.Count; i++)
        {
            var replica = replicas[i];
            if (!replica.Takes(request, role) || (except is not null && except.Contains(replica.Name))) continue;
            if (count == given.Count)
            {
                given.Add(replica);
                changed = true;
            }
            else if (!ReferenceEquals(given[count], replica))
            {
                given[count] = replica;
                changed = true;
            }
            count++;
        }
        if (count < given.Count)
        {
            given.RemoveRange(count, given.Count - count);
            changed = true;
        }
        if (changed) Sort();
    }

    private void Sort()
    {
        var sameNames = given.Count == sorted.Count;
        for (var i = 0; sameNames && i < given.Count; i++) sameNames = places.ContainsKey(given[i].Name);
        sorted.Clear();
        sorted.AddRange(given);
        sorted.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        // Reports may come as new objects of the same names: then everything that goes by names is as it was.
        if (sameNames) return;
        places.Clear();
        for (var i = 0; i < sorted.Count; i++) places[sorted[i].Name] = i;
        Version++;
    }
}
