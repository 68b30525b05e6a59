namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>
/// A set of Unicode code points: sorted disjoint ranges, and pages of 256 bits for the question asked once per character of a text.
/// Immutable.
/// </summary>
internal sealed class CodePointSet
{
    private const int PageShift = 8;
    private const int WordsPerPage = 8;
    private readonly (int First, int Last)[] ranges;
    private ushort[]? pageOf;
    private uint[]? pages;
    private bool[]? ascii;

    private CodePointSet((int, int)[] ranges) => this.ranges = ranges;

    public static CodePointSet Empty { get; } = new([]);

    public static CodePointSet All { get; } = new([(0, CodePoints.Last)]);

    public ReadOnlySpan<(int First, int Last)> Ranges => ranges;

    public bool IsEmpty => ranges.Length == 0;

    /// <summary>Membership of the 128 ASCII characters.</summary>
    public bool[] Ascii => ascii ??= [.. Enumerable.Range(0, 128).Select(Contains)];

    public static CodePointSet Of(int codePoint) => new([(codePoint, codePoint)]);

    public static CodePointSet Of(params IEnumerable<(int First, int Last)> ranges)
    {
        var sorted = ranges.Where(range => range.First <= range.Last).OrderBy(range => range.First).ToList();
        var merged = new List<(int First, int Last)>(sorted.Count);
        foreach (var range in sorted)
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1) merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else merged.Add(range);
        }
        return new([.. merged]);
    }

    /// <summary>Whether a code point belongs to the set.</summary>
    public bool Contains(int codePoint)
    {
        var table = pageOf ?? Tabulate();
        var word = pages![table[codePoint >> PageShift] * WordsPerPage + (codePoint >> 5 & WordsPerPage - 1)];
        return (word >> (codePoint & 31) & 1) != 0;
    }

    public CodePointSet Union(CodePointSet other) => Of([.. ranges, .. other.ranges]);

    public CodePointSet Complement()
    {
        var gaps = new List<(int, int)>(ranges.Length + 1);
        var next = 0;
        foreach (var (first, last) in ranges)
        {
            if (first > next) gaps.Add((next, first - 1));
            next = last + 1;
        }
        if (next <= CodePoints.Last) gaps.Add((next, CodePoints.Last));
        return new([.. gaps]);
    }

    public CodePointSet Intersect(CodePointSet other) => Complement().Union(other.Complement()).Complement();

    public bool Overlaps(CodePointSet other)
    {
        for (int i = 0, j = 0; i < ranges.Length && j < other.ranges.Length;)
        {
            if (ranges[i].Last < other.ranges[j].First) i++;
            else if (other.ranges[j].Last < ranges[i].First) j++;
            else return true;
        }
        return false;
    }

    private ushort[] Tabulate()
    {
        var count = (CodePoints.Last >> PageShift) + 1;
        var table = new ushort[count];
        var distinct = new List<uint[]>();
        var known = new Dictionary<string, ushort>();
        int at = 0, empty = -1;
        for (var page = 0; page < count; page++)
        {
            var bits = new uint[WordsPerPage];
            int low = page << PageShift, high = low + (1 << PageShift) - 1;
            while (at < ranges.Length && ranges[at].Last < low) at++;
            // Most pages hold nothing of the set.
            if (empty >= 0 && (at == ranges.Length || ranges[at].First > high)) { table[page] = (ushort)empty; continue; }
            for (var i = at; i < ranges.Length && ranges[i].First <= high; i++)
                for (var c = Math.Max(low, ranges[i].First); c <= Math.Min(high, ranges[i].Last); c++)
                    bits[c >> 5 & WordsPerPage - 1] |= 1u << (c & 31);
            var key = string.Join(',', bits);
            if (!known.TryGetValue(key, out var index))
            {
                known[key] = index = (ushort)distinct.Count;
                distinct.Add(bits);
                if (Array.TrueForAll(bits, word => word == 0)) empty = index;
            }
            table[page] = index;
        }
        // The pages are published before the table that leads to them: another thread may be asking at the same time.
        pages = [.. distinct.SelectMany(bits => bits)];
        Volatile.Write(ref pageOf, table);
        return table;
    }
}
