namespace Quilt.Tests;

/// <summary>
/// Conformance data made by other implementations, found in one place: the environment variable QUILT_SHARED, or `../shared` beside the repository.
/// Where neither is there, the small part of it that comes with the tests (`Golden`, laid out alike) takes its place, and the same fixtures run on
/// that. Fixtures enumerate its files and never name one; what is missing is skipped.
/// </summary>
internal static class Shared
{
    private const string Missing =
        "Not in the part of the conformance data that comes with the tests: set QUILT_SHARED or place `shared` beside the repository for all of it.";

    private static readonly string? Whole = Find();

    /// <summary>The folder of conformance data: all of it, or the part that comes with the tests.</summary>
    public static string Root { get; } = Whole ?? System.IO.Path.Combine(AppContext.BaseDirectory, "Golden");

    /// <summary>Whether all of it is here.</summary>
    public static bool IsComplete => Whole is not null;

    /// <summary>A path below <see cref="Root"/>; the test is skipped (and counted as skipped) where it is missing.</summary>
    public static string Path(params string[] parts)
    {
        var path = System.IO.Path.Combine([Root, .. parts]);
        if (!System.IO.Path.Exists(path)) Assert.Ignore($"{path}: {Missing}");
        return path;
    }

    /// <summary>
    /// Files below a folder of the conformance data, sorted; one null where there are none, so that the fixture shows up as skipped.
    /// </summary>
    public static IEnumerable<string?> Files(string folder, string pattern) => Entries(folder, path => Directory.GetFiles(path, pattern));

    /// <summary>Folders below a folder of the conformance data, sorted; one null where there are none.</summary>
    public static IEnumerable<string?> Folders(string folder) => Entries(folder, Directory.GetDirectories);

    /// <summary>Skips the test where <paramref name="path"/> is the null that stands for missing conformance data.</summary>
    public static string Require(string? path)
    {
        if (path is null) Assert.Ignore(Missing);
        return path!;
    }

    private static IEnumerable<string?> Entries(string folder, Func<string, string[]> list)
    {
        var path = System.IO.Path.Combine(Root, folder);
        var found = Directory.Exists(path) ? list(path) : [];
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
