using System.Globalization;

namespace Quilt.Kernels.Devices;

/// <summary>A processor that the system can put a thread on.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Core">The least number among the processors of its core: hyperthreads of one core have the same.</param>
/// <param name="Node">The memory that is nearest to it.</param>
internal readonly record struct LogicalCpu(int Id, int Core, int Node);

/// <summary>The processors that this process may use, by number.</summary>
internal sealed record CpuTopology(IReadOnlyList<LogicalCpu> Cpus)
{
    /// <summary>This machine's, as it was when first asked.</summary>
    public static CpuTopology Machine { get; } = Read();

    /// <summary>Physical cores, fast and slow ones alike.</summary>
    public int Cores => Cpus.Select(cpu => cpu.Core).Distinct().Count();

    /// <summary>Nodes of memory that have a processor.</summary>
    public int Nodes => Cpus.Select(cpu => cpu.Node).Distinct().Count();

    /// <summary>
    /// The processors of one of <paramref name="count"/> equal parts of the cores, node by node; with fewer cores than parts, neighbours share.
    /// </summary>
    public CpuTopology Part(int index, int count)
    {
        int[] cores = [.. Cpus.OrderBy(cpu => cpu.Node).ThenBy(cpu => cpu.Core).Select(cpu => cpu.Core).Distinct()];
        var first = (int)((long)cores.Length * index / count);
        var own = cores.AsSpan(first, Math.Max(1, (int)((long)cores.Length * (index + 1) / count) - first)).ToArray();
        return new([.. Cpus.Where(cpu => own.Contains(cpu.Core))]);
    }

    /// <summary>
    /// Reads it from the files of Linux (Documentation/admin-guide/cputopology.rst, and for nodes ABI/stable/sysfs-devices-node).
    /// </summary>
    /// <param name="folder">What /sys/devices/system is.</param>
    /// <param name="status">What /proc/self/status says: its line Cpus_allowed_list counts; null: all may be used.</param>
    /// <returns>Null where the folder names no processor.</returns>
    public static CpuTopology? Read(string folder, string? status)
    {
        if (Text(folder, "cpu", "online") is not { } online) return null;
        var allowed = status?.Split('\n').FirstOrDefault(line => line.StartsWith(Allowed, StringComparison.Ordinal))?[Allowed.Length..];
        var ids = Numbers(online);
        if (allowed is not null) ids = [.. ids.Intersect(Numbers(allowed))];
        if (ids.Count == 0) return null;

        var nodeOf = new Dictionary<int, int>();
        foreach (var node in Numbers(Text(folder, "node", "online") ?? ""))
        {
            foreach (var cpu in Numbers(Text(folder, "node", $"node{node}", "cpulist") ?? "")) nodeOf[cpu] = node;
        }
        return new([.. ids.Select(id => new LogicalCpu(id, Core(folder, id), nodeOf.GetValueOrDefault(id)))]);
    }

    private const string Allowed = "Cpus_allowed_list:";

    private static CpuTopology Read()
    {
        // Elsewhere .NET tells how many there are, and no more.
        var known = OperatingSystem.IsLinux() ? Read("/sys/devices/system", Text("/proc/self/status")) : null;
        return known ?? new([.. Enumerable.Range(0, Environment.ProcessorCount).Select(id => new LogicalCpu(id, id, 0))]);
    }

    private static int Core(string folder, int id)
    {
        var topology = Path.Combine(folder, "cpu", $"cpu{id}", "topology");
        var siblings = Numbers(Text(topology, "core_cpus_list") ?? Text(topology, "thread_siblings_list") ?? "");
        return siblings.Count == 0 ? id : siblings.Min();
    }

    /// <summary>The numbers of a list such as <c>0-3,8,10-11</c>; what is no such list has none.</summary>
    private static List<int> Numbers(string list)
    {
        var numbers = new List<int>();
        foreach (var part in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)) return [];
            if (!int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)) return [];
            if (ends.Length > 2 || last < first || last - first > MostCpus) return [];
            numbers.AddRange(Enumerable.Range(first, last - first + 1));
        }
        return numbers;
    }

    private const int MostCpus = 1 << 16;

    private static string? Text(params string[] path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
