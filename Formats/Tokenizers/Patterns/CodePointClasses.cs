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

    private CodePointClasses(byte[] classOf, ulong[] members)
    {
        Members = members;
        ascii = classOf[..128];
        var distinct = new Dictionary<string, ushort>();
        var bytes = new List<byte>();
        for (var page = 0; page < pageOf.Length; page++)
        {
            var its = classOf.AsSpan(page << PageShift, 1 << PageShift);
            var key = Convert.ToBase64String(its);
            if (!distinct.TryGetValue(key, out pageOf[page]))
            {
                distinct[key] = pageOf[page] = (ushort)distinct.Count;
                bytes.AddRange(its);
            }
        }
        pages = [.. bytes];
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
        var classOf = new byte[CodePoints.Last + 1];
        var numbers = new Dictionary<ulong, byte>();
        var current = 0UL;
        var from = 0;
        var number = (byte)0;
        foreach (var (at, change) in changes.Append(new(CodePoints.Last + 1, 0)))
        {
            classOf.AsSpan(from, Math.Min(at, classOf.Length) - from).Fill(number);
            if (at >= classOf.Length) break;
            (from, current) = (at, current ^ change);
            if (numbers.TryGetValue(current, out number)) continue;
            if (numbers.Count == ClassLimit) return null;
            numbers[current] = number = (byte)numbers.Count;
        }
        return new CodePointClasses(classOf, [.. numbers.OrderBy(entry => entry.Value).Select(entry => entry.Key)]);
    }

    /// <summary>The class of a code point.</summary>
    public int this[int codePoint] => pages[(pageOf[codePoint >> PageShift] << PageShift) + (codePoint & (1 << PageShift) - 1)];
}
