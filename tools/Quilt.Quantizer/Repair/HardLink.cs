using System.Runtime.InteropServices;

namespace Quilt.Quantizer.Repair;

/// <summary>A second name for a file's bytes, which the runtime's own library cannot make yet.</summary>
internal static partial class HardLink
{
    /// <summary>
    /// Gives the bytes of <paramref name="file"/> the further name <paramref name="link"/>; false where the file system does not, as between two
    /// disks.
    /// </summary>
    public static bool TryCreate(string file, string link)
    {
        try
        {
            // A link to a link would be one to a path that may not be there tomorrow.
            var target = File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file);
            return OperatingSystem.IsWindows() ? CreateHardLink(link, target, 0) : Link(target, link) == 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string from, string to);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string link, string file, nint security);
}
