using System.Runtime.InteropServices;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Asks the system for pages of 2 MiB under a range of memory. A weight of gigabytes in pages of 4 KiB costs a fault for each when it is filled, and
/// a walk through the page tables for most of them whenever it is read.
/// </summary>
internal static unsafe partial class HugePages
{
    private const nuint Page = 2 << 20;
    private const int MadviseHugePage = 14;      // Linux: asm-generic/mman-common.h

    /// <summary>Advice for memory that was not touched yet; the system may do as it likes. Nothing happens where there is no such advice.</summary>
    public static void Advise(void* start, nuint bytes)
    {
        if (!OperatingSystem.IsLinux()) return;
        var first = ((nuint)start + Page - 1) & ~(Page - 1);
        var end = ((nuint)start + bytes) & ~(Page - 1);
        if (end > first) _ = Madvise(first, end - first, MadviseHugePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Madvise(nuint start, nuint length, int advice);
}
