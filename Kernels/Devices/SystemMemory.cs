using System.Globalization;

namespace Quilt.Kernels.Devices;

/// <summary>The memory of this machine, or of the container it pretends to be.</summary>
/// <param name="Total">Bytes there are.</param>
/// <param name="Available">Bytes that could be taken now without pushing out what others use; caches of files count as free.</param>
internal readonly record struct SystemMemory(long Total, long Available)
{
    /// <summary>Asks the system: on Linux /proc/meminfo and the limits of the control group, elsewhere the runtime.</summary>
    public static SystemMemory Read()
    {
        var gc = GC.GetGCMemoryInfo();
        var known = new SystemMemory(gc.TotalAvailableMemoryBytes, Math.Max(0, gc.TotalAvailableMemoryBytes - gc.MemoryLoadBytes));
        if (!OperatingSystem.IsLinux() || Text("/proc/meminfo") is not { } machine) return known;
        return Parse(machine, Text("/sys/fs/cgroup/memory.max"), Text("/sys/fs/cgroup/memory.current"), Text("/sys/fs/cgroup/memory.stat"))
            ?? known;
    }

    /// <summary>The same from the texts of those files (Linux: Documentation/filesystems/proc.rst and admin-guide/cgroup-v2.rst).</summary>
    /// <param name="machine">/proc/meminfo.</param>
    /// <param name="limit">memory.max: a number or "max"; null where there is none.</param>
    /// <param name="used">memory.current.</param>
    /// <param name="kinds">memory.stat, of which pages of files that nobody waits for can be taken.</param>
    /// <returns>Null where the first does not say it.</returns>
    public static SystemMemory? Parse(string machine, string? limit, string? used, string? kinds)
    {
        if (Field(machine, "MemTotal:") is not { } total || Field(machine, "MemAvailable:") is not { } available) return null;
        var memory = new SystemMemory(total << 10, available << 10);
        if (Number(limit) is not { } most || most >= memory.Total) return memory;
        var free = Math.Max(0, most - (Number(used) ?? 0) + (Field(kinds ?? "", "inactive_file") ?? 0));
        return new(most, Math.Min(memory.Available, free));
    }

    // The number behind a name at the beginning of a line.
    private static long? Field(string text, string name)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name, StringComparison.Ordinal)) return Number(line[name.Length..].ToString());
        }
        return null;
    }

    private static long? Number(string? text)
    {
        var digits = text.AsSpan().Trim();
        if (digits.IndexOf(' ') is > 0 and var end) digits = digits[..end];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
