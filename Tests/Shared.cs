namespace Quilt.Tests;

/// <summary>
/// Conformance data made by other implementations, found in one place: the environment variable QUILT_SHARED, or `../shared` beside the repository.
/// Fixtures enumerate its files and never name one; where the folder is missing they are skipped.
/// </summary>
internal static class Shared
{
    /// <summary>The folder of conformance data, or null where this machine has none.</summary>
    public static string? Root { get; } = Find();

    /// <summary>A path below <see cref="Root"/>; the test is skipped (and counted as skipped) where the folder is missing.</summary>
    public static string Path(params string[] parts)
    {
        if (Root is null) Assert.Ignore("No conformance data: set QUILT_SHARED or place `shared` beside the repository.");
        var path = System.IO.Path.Combine([Root!, .. parts]);
        if (!System.IO.Path.Exists(path)) Assert.Ignore($"{path} is not part of this conformance data.");
        return path;
    }

    /// <summary>Files below a folder of the conformance data, sorted; one null where there are none, so that the fixture shows up as skipped.</summary>
    public static IEnumerable<string?> Files(string folder, string pattern) => Entries(folder, path => Directory.GetFiles(path, pattern));

    /// <summary>Folders below a folder of the conformance data, sorted; one null where there are none.</summary>
    public static IEnumerable<string?> Folders(string folder) => Entries(folder, Directory.GetDirectories);

    /// <summary>Skips the test where <paramref name="path"/> is the null that stands for missing conformance data.</summary>
    public static string Require(string? path)
    {
        if (path is null) Assert.Ignore("No conformance data: set QUILT_SHARED or place `shared` beside the repository.");
        return path!;
    }

    private static IEnumerable<string?> Entries(string folder, Func<string, string[]> list)
    {
        var path = Root is null ? null : System.IO.Path.Combine(Root, folder);
        var found = path is not null && Directory.Exists(path) ? list(path) : [];
        Array.Sort(found, StringComparer.Ordinal);
        return found.Length > 0 ? found : new string?[] { null };
    }

    private static string? Find()
    {
        var named = Environment.GetEnvironmentVariable("QUILT_SHARED");
        if (!string.IsNullOrEmpty(named)) return Directory.Exists(named) ? System.IO.Path.GetFullPath(named) : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "Runtime.sln"))) continue;
            var beside = System.IO.Path.Combine(folder.FullName, "..", "shared");
            return Directory.Exists(beside) ? System.IO.Path.GetFullPath(beside) : null;
        }
        return null;
    }
}
