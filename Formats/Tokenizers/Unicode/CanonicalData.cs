using System.Globalization;

namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>
/// Canonical combining classes, decompositions and compositions of Unicode 9.0, read once from the embedded table Canonical.txt.
/// .NET's own normalization is of no use here: it does nothing without ICU, and with ICU it knows newer compositions.
/// </summary>
internal sealed class CanonicalData
{
    public const int HangulFirst = 0xAC00, HangulLast = 0xD7A3, LeadFirst = 0x1100, VowelFirst = 0x1161, TrailFirst = 0x11A7;
    public const int LeadCount = 19, VowelCount = 21, TrailCount = 28;

    private static readonly Lazy<CanonicalData> Instance = new(() => new CanonicalData());
    private readonly byte[][] classPages = new byte[(CodePoints.Last >> 8) + 1][];
    private readonly Dictionary<int, int[]> decompositions = [];
    private readonly Dictionary<(int, int), int> compositions = [];

    private CanonicalData()
    {
        var none = new byte[256];
        Array.Fill(classPages, none);
        var unsafeStarts = new List<(int, int)>();
        var nonStarters = new List<(int, int)>();
        foreach (var fields in UnicodeResource.Lines("Canonical"))
        {
            if (fields[0] == "C")
            {
                var (first, last) = UnicodeResource.Range(fields[1]);
                for (var c = first; c <= last; c++) Page(c)[c & 255] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                unsafeStarts.Add((first, last));
                nonStarters.Add((first, last));
            }
            else
            {
                int code = UnicodeResource.Hex(fields[1]);
                int[] parts = [.. fields.Skip(2).Select(UnicodeResource.Hex)];
                decompositions[code] = parts;
                if (fields[0] == "P")
                {
                    compositions[(parts[0], parts[1])] = code;
                    unsafeStarts.Add((parts[1], parts[1]));
                }
                else unsafeStarts.Add((code, code));
            }
        }
        unsafeStarts.Add((VowelFirst, VowelFirst + VowelCount - 1));
        unsafeStarts.Add((TrailFirst + 1, TrailFirst + TrailCount - 1));
        MayChange = CodePointSet.Of(unsafeStarts);
        MayDecompose = CodePointSet.Of([.. decompositions.Keys.Select(c => (c, c)), .. nonStarters, (HangulFirst, HangulLast)]);

        byte[] Page(int c) => ReferenceEquals(classPages[c >> 8], none) ? classPages[c >> 8] = new byte[256] : classPages[c >> 8];
    }

    public static CanonicalData Table => Instance.Value;

    /// <summary>
    /// A text with none of these code points is its own NFC: non-starters, second halves of compositions, and what never composes back.
    /// </summary>
    public CodePointSet MayChange { get; }

    /// <summary>A text with none of these code points is its own NFD: what decomposes, and non-starters.</summary>
    public CodePointSet MayDecompose { get; }

    /// <summary>All code points with a decomposition in the table, which leaves Hangul out.</summary>
    public IEnumerable<int> Decomposable => decompositions.Keys;

    public int CombiningClass(int codePoint) => classPages[codePoint >> 8][codePoint & 255];

    /// <summary>One step of decomposition (one or two code points), or null. Hangul is not here.</summary>
    public int[]? Decomposition(int codePoint) => decompositions.GetValueOrDefault(codePoint);

    /// <summary>The composition of two code points, Hangul included, or -1.</summary>
    public int Compose(int first, int second)
    {
        int lead = first - LeadFirst, vowel = second - VowelFirst, syllable = first - HangulFirst, trail = second - TrailFirst;
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount) return HangulFirst + (lead * VowelCount + vowel) * TrailCount;
        if (syllable >= 0 && first <= HangulLast && syllable % TrailCount == 0 && trail is > 0 and < TrailCount) return first + trail;
        return compositions.TryGetValue((first, second), out var composed) ? composed : -1;
    }
}
