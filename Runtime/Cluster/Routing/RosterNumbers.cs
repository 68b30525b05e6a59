namespace Quilt.Cluster.Routing;

/// <summary>Numbers for replicas that stay theirs whoever comes and goes, and those of a roster in its order.</summary>
internal sealed class RosterNumbers
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<string> names = [];
    private int[] current = [];
    private int version = -1;

    /// <summary>Numbers there are.</summary>
    public int Count => names.Count;

    /// <summary>The number of a name.</summary>
    public int Of(string name)
    {
        if (numbers.TryGetValue(name, out var number)) return number;
        numbers[name] = names.Count;
        names.Add(name);
        return names.Count - 1;
    }

    /// <summary>The name of a number.</summary>
    public string NameOf(int number) => names[number];

    /// <summary>The numbers of a roster's replicas, in its order.</summary>
    public ReadOnlySpan<int> Of(Roster roster)
    {
        if (version != roster.Version)
        {
            current = new int[roster.Count];
            for (var i = 0; i < current.Length; i++) current[i] = Of(roster[i].Name);
            version = roster.Version;
        }
        return current;
    }
}
