using System.Xml.Linq;

namespace Quilt.Tests.House;

/// <summary>
/// The repository these tests were built from, found above them. Where they run elsewhere there is no house to look at, and the tests are skipped.
/// </summary>
internal static class House
{
    /// <summary>Folders of the product, below the root.</summary>
    public static readonly string[] Product = ["Formats", "Kernels", "Runtime", "tools"];

    /// <summary>The repository's root.</summary>
    public static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Runtime.sln"))) return folder.FullName;
            }
            Assert.Ignore("The tests do not run inside the repository.");
            return "";
        }
    }

    /// <summary>C# files below folders of the root, generated ones left out, with paths from the root.</summary>
    public static IEnumerable<string> Sources(params string[] folders)
    {
        var root = Root;
        return folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/") && !file.Contains("/bin/") && !file.EndsWith(".g.cs", StringComparison.Ordinal));
    }

    /// <summary>The text of a file.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Project files, with paths from the root.</summary>
    public static IEnumerable<string> Projects() =>
        Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Root, file));

    /// <summary>Projects that a project refers to, by name.</summary>
    public static string[] References(string project) =>
        [.. XDocument.Load(Path.Combine(Root, project)).Descendants("ProjectReference").Select(reference =>
            Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))];
}
