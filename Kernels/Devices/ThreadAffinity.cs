using System.Runtime.InteropServices;

namespace Quilt.Kernels.Devices;

/// <summary>On which processors the system may run the calling thread.</summary>
internal static unsafe partial class ThreadAffinity
{
    /// <summary>Allows these and no others, on Linux; false where that is refused or there is no such call, and nothing changes.</summary>
    public static bool TrySet(IEnumerable<int> cpus)
    {
        if (!OperatingSystem.IsLinux()) return false;

        // One bit a processor, in whole words (sched_setaffinity(2)).
        var mask = new nuint[MostCpus / (8 * sizeof(nuint))];
        foreach (var cpu in cpus)
        {
            if (cpu < MostCpus) mask[cpu / (8 * sizeof(nuint))] |= (nuint)1 << (cpu % (8 * sizeof(nuint)));
        }
        fixed (nuint* bits = mask) return SetAffinity(0, (nuint)(MostCpus / 8), bits) == 0;
    }

    private const int MostCpus = 8192;

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAffinity(int thread, nuint bytes, nuint* mask);
}
