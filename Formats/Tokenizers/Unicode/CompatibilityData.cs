namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>Compatibility decompositions of Unicode 9.0, read once from the embedded table Compatibility.txt.</summary>
internal static class CompatibilityData
{
    private static readonly Lazy<Dictionary<int, int[]>> Table = new(() => UnicodeResource.Lines("Compatibility")
        .ToDictionary(fields => UnicodeResource.Hex(fields[0]), fields => fields.Skip(1).Select(UnicodeResource.Hex).ToArray()));

    /// <summary>One step of decomposition, or null. The canonical ones are in <see cref="CanonicalData"/>.</summary>
    public static int[]? Decomposition(int codePoint) => Table.Value.GetValueOrDefault(codePoint);
}
