using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>Numbers for code points, equal for those that belong to the same ones of some sets.</summary>
internal sealed class CodePointClasses
{
    private const int SetLimit = 64;
    private const int ClassLimit = 250;
    private const int PageShift = 8;
    private readonly ushort[] pageOf = new ushort[(CodePoints.Last >> PageShift) + 1];
    private readonly byte[] pages;
    private readonly byte[] ascii;

    // runs: where each run of one class starts, in order; the first one at 0.
    private CodePointClasses(List<(int Start, byte Class)> runs, ulong[] members)
    {
        Members = members;
        var bytes = new List<byte>();
        var distinct = new Dictionary<string, ushort>();
        var page = new byte[1 << PageShift];
        var run = 0;
        for (var number = 0; number < pageOf.Length; number++)
        {
            var start = number << PageShift;
            for (var i = 0; i < page.Length;)
            {
                while (run + 1 < runs.Count && runs[run + 1].Start <= start + i) run++;
                var next = run + 1 < runs.Count ? Math.Min(page.Length, runs[run + 1].Start - start) : page.Length;
                page.AsSpan(i, next - i).Fill(runs[run].Class);
                i = next;
            }
            var key = System.Text.Encoding.Latin1.GetString(page);
            if (!distinct.TryGetValue(key, out pageOf[number]))
            {
                distinct[key] = pageOf[number] = (ushort)distinct.Count;
                bytes.AddRange(page);
            }
        }
        pages = [.. bytes];
        ascii = pages[(pageOf[0] << PageShift)..][..128];
    }

    /// <summary>By class: bit i says that its code points belong to set i.</summary>
    public ulong[] Members { get; }

    /// <summary>Classes of the 128 ASCII characters.</summary>
    public ReadOnlySpan<byte> Ascii => ascii;

    /// <summary>The classes of some sets, or null where there are too many.</summary>
    public static CodePointClasses? Of(IReadOnlyList<CodePointSet> sets)
    {
        if (sets.Count > SetLimit) return null;
        // Where membership changes: the first code points of ranges, and those behind their ends.
        var changes = new SortedDictionary<int, ulong> { [0] = 0 };
        for (var i = 0; i < sets.Count; i++)
        {
            foreach (var (first, last) in sets[i].Ranges)
            {
                changes[first] = changes.GetValueOrDefault(first) ^ 1UL << i;
                changes[last + 1] = changes.GetValueOrDefault(last + 1) ^ 1UL << i;
            }
        }
        var numbers = new Dictionary<ulong, byte>();
        var runs = new List<(int, byte)>(changes.Count);
        var current = 0UL;
        foreach (var (at, change) in changes)
        {
            current ^= change;
            if (!numbers.TryGetValue(current, out var number))
            {
                if (numbers.Count == ClassLimit) return null;
                numbers[current] = number = (byte)numbers.Count;
            }
            runs.Add((at, number));
        }
        return new CodePointClasses(runs, [.. numbers.OrderBy(entry => entry.Value).Select(entry => entry.Key)]);
    }

    /// <summary>The class of a code point.</summary>
    public int this[int codePoint] => pages[(pageOf[codePoint >> PageShift] << PageShift) + (codePoint & (1 << PageShift) - 1)];
}
