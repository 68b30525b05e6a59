using System.Reflection;

namespace Quilt.Quantizer.Calibration;

/// <summary>Calibration sets that come with the program. They name datasets; the data is the user's.</summary>
internal static class ReadyMadeSets
{
    private const string Prefix = "Quilt.Quantizer.Calibration.Sets.";
    private const string Suffix = ".yaml";
    private static readonly Assembly Own = typeof(ReadyMadeSets).Assembly;

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Own.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
        .Select(name => name[Prefix.Length..^Suffix.Length]).Order(StringComparer.Ordinal)];

    /// <summary>The YAML of a set; null where there is none of that name.</summary>
    public static string? Find(string name)
    {
        if (!Names.Contains(name)) return null;
        using var reader = new StreamReader(Own.GetManifestResourceStream($"{Prefix}{name}{Suffix}")!);
        return reader.ReadToEnd();
    }
}
