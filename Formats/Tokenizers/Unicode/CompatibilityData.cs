namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>Compatibility decompositions of Unicode 9.0, read once from the embedded table Compatibility.txt.</summary>
internal static class CompatibilityData
{
    private static readonly Lazy<Dictionary<int, int[]>> Table = new(() => UnicodeResource.Lines("Compatibility")
        .ToDictionary(fields => UnicodeResource.Hex(fields[0]), fields => fields.Skip(1).Select(UnicodeResource.Hex).ToArray()));

    private static readonly Lazy<CodePointSet> All = new(() => CodePointSet.Of(
        Table.Value.Keys.Concat(CanonicalData.Table.Decomposable.Where(Leads)).Select(c => (c, c))));

    /// <summary>All code points that have one, and those that canonically decompose to one that does.</summary>
    public static CodePointSet Decomposable => All.Value;

    /// <summary>One step of decomposition, or null. The canonical ones are in <see cref="CanonicalData"/>.</summary>
    public static int[]? Decomposition(int codePoint) => Table.Value.GetValueOrDefault(codePoint);

    private static bool Leads(int codePoint) =>
        Table.Value.ContainsKey(codePoint) || CanonicalData.Table.Decomposition(codePoint) is { } parts && Array.Exists(parts, Leads);
}
