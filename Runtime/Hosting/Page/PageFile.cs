using System.Reflection;
using System.Security.Cryptography;

namespace Quilt.Hosting.Page;

/// <summary>A file of the page, which the assembly carries.</summary>
/// <param name="Name">Its name, as <c>app.js</c>.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Tag">The entity tag of its bytes, in quotes.</param>
internal sealed record PageFile(string Name, string ContentType, byte[] Content, string Tag)
{
    private const string Prefix = "page/";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PageFile> All { get; } =
        [.. Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order().Select(Read)];

    private static Assembly Assembly => typeof(PageFile).Assembly;

    private static PageFile Read(string resource)
    {
        using var stream = Assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var name = resource[Prefix.Length..];
        return new(name, TypeOf(name), content, $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12))}\"");
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".webmanifest" => "application/manifest+json",
        var other => throw new InvalidOperationException($"{name}: the page has no media type for files in {other}."),
    };
}
