namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>
/// Lower case and case folding, from tables of its own: .NET's answer depends on whether the host runs with ICU, and on which.
/// </summary>
internal static class CaseMapping
{
    /// <summary>U+0130, the one code point whose lower case is two: i and U+0307.</summary>
    public const int DottedCapitalI = 0x130;

    private static readonly Lazy<Dictionary<int, int>> Lowers = new(() => UnicodeResource.Mapping("Lowercase"));
    private static readonly Lazy<Folding> Folds = new(() => new Folding());

    /// <summary>The lower case of a code point other than <see cref="DottedCapitalI"/>, by Unicode 17.0 as Rust has it.</summary>
    public static int Lower(int codePoint) =>
        codePoint < 0x80 ? (uint)(codePoint - 'A') <= 'Z' - 'A' ? codePoint | 0x20 : codePoint : Lowers.Value.GetValueOrDefault(codePoint, codePoint);

    /// <summary>Every code point that equals this one where case does not count, itself among them.</summary>
    public static CodePointSet Equivalents(int codePoint)
    {
        var folds = Folds.Value;
        return CodePointSet.Of(
            folds.Members.GetValueOrDefault(folds.Simple.GetValueOrDefault(codePoint, codePoint), [codePoint]).Append(codePoint).Select(c => (c, c)));
    }

    /// <summary>A set with everything that equals one of its code points where case does not count.</summary>
    public static CodePointSet Close(CodePointSet set) => CodePointSet.Of(
        [.. set.Ranges, .. Folds.Value.Members.Values.Where(its => its.Exists(set.Contains)).SelectMany(its => its).Select(c => (c, c))]);

    /// <summary>The first code point of a set that equals several where case does not count, or -1.</summary>
    public static int FirstExpanding(CodePointSet set) => Folds.Value.Expansions.Keys.Order().Where(set.Contains).DefaultIfEmpty(-1).First();

    /// <summary>The single code points that equal a text of two or three where case does not count: U+00DF and U+1E9E for "ss".</summary>
    public static CodePointSet Singles(ReadOnlySpan<int> text)
    {
        var folds = Folds.Value;
        var key = string.Concat(text.ToArray().Select(c => char.ConvertFromUtf32(folds.Simple.GetValueOrDefault(c, c))));
        return folds.Expanding.TryGetValue(key, out var singles) ? CodePointSet.Of(singles.Select(c => (c, c))) : CodePointSet.Empty;
    }

    /// <summary>The several code points that a single one equals where case does not count, or null.</summary>
    public static int[]? Expansion(int codePoint) => Folds.Value.Expansions.GetValueOrDefault(codePoint);

    // Simple: the folding to one code point. Members: what folds to it. Expansions: the folding to several. Expanding: its inverse.
    private sealed class Folding
    {
        public Dictionary<int, int> Simple { get; } = UnicodeResource.Mapping("CaseFolding");

        public Dictionary<int, List<int>> Members { get; } = [];

        public Dictionary<int, int[]> Expansions { get; } = [];

        public Dictionary<string, List<int>> Expanding { get; } = [];

        public Folding()
        {
            foreach (var (from, to) in Simple)
            {
                if (!Members.TryGetValue(to, out var its)) Members[to] = its = [to];
                its.Add(from);
            }
            foreach (var fields in UnicodeResource.Lines("CaseFolding").Where(fields => fields[0] == "F"))
            {
                int[] parts = [.. fields.Skip(2).Select(UnicodeResource.Hex)];
                var key = string.Concat(parts.Select(char.ConvertFromUtf32));
                Expansions[UnicodeResource.Hex(fields[1])] = parts;
                if (!Expanding.TryGetValue(key, out var its)) Expanding[key] = its = [];
                its.Add(UnicodeResource.Hex(fields[1]));
            }
        }
    }
}
