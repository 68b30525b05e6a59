using System.Net;
using Quilt.Cluster.Routing;

namespace Quilt.Cluster;

/// <summary>How a process takes part in a cluster.</summary>
public sealed class ClusterOptions
{
    /// <summary>The cluster's name: processes of other names never meet.</summary>
    public string Name { get; set; } = "quilt";

    /// <summary>This process's name among the others; null: the machine's name and the port.</summary>
    public string? NodeName { get; set; }

    /// <summary>Where the others of the cluster reach this process. Anything but this machine alone needs a <see cref="Key"/>.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>The port for the others of the cluster; 0: a free one.</summary>
    public int Port { get; set; }

    /// <summary>A process that is in the cluster already, <c>HOST:PORT</c>, which keeps the list of members; null: this one does.</summary>
    public string? Join { get; set; }

    /// <summary>
    /// Where Redis keeps the list of members, in the place of a process (<see cref="Join"/>), by StackExchange.Redis's connection text.
    /// </summary>
    public string? Redis { get; set; }

    /// <summary>What all processes of the cluster know and nobody else: at least 16 characters. Null: whoever reaches the port is let in.</summary>
    public string? Key { get; set; }

    /// <summary>What this process does for the others.</summary>
    public ClusterRole Role { get; set; }

    /// <summary>
    /// Whether a reply whose replica is lost goes on at another from the tokens it has; otherwise its caller is told
    /// (<see cref="Runtime.ReplicaLostException"/>).
    /// </summary>
    public bool Resume { get; set; }

    /// <summary>By what a replica is chosen, one of <see cref="Policies"/>.</summary>
    public string Policy { get; set; } = RoutingPolicies.Default;

    /// <summary>Bytes of the host's memory for keys and values that others fetch; counts where <see cref="Role"/> is prefill.</summary>
    public long KvExportBytes { get; set; } = 256 << 20;

    /// <summary>Where this process's HTTP door is, for those who look at the cluster; null: it has none.</summary>
    public string? Url { get; set; }

    /// <summary>How often a process says how much it has to do, and what it has cached.</summary>
    public TimeSpan AnnounceInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>After so long without a word a replica counts as lost. It says something four times in this time, token or not.</summary>
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>The names that <see cref="Policy"/> may have.</summary>
    public static IReadOnlyList<string> Policies { get; } = [.. RoutingPolicies.Names];

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Validate()
    {
        if (Name.Length is 0 or > 64 || !Name.All(IsPlain)) throw Wrong(nameof(Name), "1 to 64 letters, digits, - and _", Name);
        if (NodeName is { } node && (node.Length is 0 or > 64 || !node.All(c => IsPlain(c) || c == '.')))
            throw Wrong(nameof(NodeName), "1 to 64 letters, digits, -, _ and .", node);
        if (Port is < 0 or > 65535) throw Wrong(nameof(Port), "0 to 65535", Port);
        if (Key is { Length: < 16 }) throw Wrong(nameof(Key), "at least 16 characters", $"{Key.Length}");
        if (Join is not null && Redis is not null) throw Wrong($"{nameof(Join)}, {nameof(Redis)}", "at most one of them", "both");
        if (Join is not null) EndPointOf(Join);
        if (!IPAddress.IsLoopback(Address) && Key is null)
            throw Wrong(nameof(Key), "a key beside an address that others reach", $"{Address} without one");
        if (!Policies.Contains(Policy, StringComparer.Ordinal)) throw Wrong(nameof(Policy), string.Join(", ", Policies), Policy);
        if (AnnounceInterval < TimeSpan.FromMilliseconds(10)) throw Wrong(nameof(AnnounceInterval), "at least 10 ms", AnnounceInterval);
        if (Silence < TimeSpan.FromMilliseconds(100)) throw Wrong(nameof(Silence), "at least 100 ms", Silence);
    }

    /// <summary>An address and a port out of <c>HOST:PORT</c>; host names are looked up.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    internal static IPEndPoint EndPointOf(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), out var port) || port is < 1 or > 65535)
            throw Wrong(nameof(Join), "HOST:PORT", text);
        var host = text[..colon].Trim('[', ']');
        if (host == "localhost") return new(IPAddress.Loopback, port);
        if (IPAddress.TryParse(host, out var address)) return new(address, port);
        try
        {
            return new(Dns.GetHostAddresses(host).OrderBy(found => found.AddressFamily).First(), port);
        }
        catch (Exception unknown) when (unknown is System.Net.Sockets.SocketException or InvalidOperationException or ArgumentException)
        {
            throw Wrong(nameof(Join), "HOST:PORT", text);
        }
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';

    private static ArgumentException Wrong(string name, string expected, object found) => new($"{name}: expected {expected}, found {found}.");
}

/// <summary>What a process does for the others of its cluster.</summary>
public enum ClusterRole
{
    /// <summary>It reads prompts and writes replies.</summary>
    Both,

    /// <summary>It reads prompts for others, which write the replies.</summary>
    Prefill,

    /// <summary>It writes replies to prompts that others have read, or that it reads where none can.</summary>
    Decode,
}
