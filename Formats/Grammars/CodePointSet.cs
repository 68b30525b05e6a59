using System.Collections.Immutable;

namespace Quilt.Formats.Grammars;

/// <summary>
/// A set of Unicode code points (surrogates are none): ranges, ascending, disjoint and not touching, so that equal sets are equal lists.
/// </summary>
internal sealed class CodePointSet : IEquatable<CodePointSet>
{
    private CodePointSet(ImmutableArray<(int First, int Last)> ranges) => Ranges = ranges;

    /// <summary>Every code point.</summary>
    public static CodePointSet Any { get; } = Of((0, 0x10FFFF));

    /// <summary>First and last of each range, both in.</summary>
    public ImmutableArray<(int First, int Last)> Ranges { get; }

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => Ranges.IsEmpty;

    /// <summary>The set of some ranges, in any order; surrogates are left out.</summary>
    public static CodePointSet Of(params ReadOnlySpan<(int First, int Last)> ranges)
    {
        var sorted = new List<(int First, int Last)>();
        foreach (var (first, last) in ranges)
        {
            Add(first, Math.Min(last, 0xD7FF));
            Add(Math.Max(first, 0xE000), last);
        }
        sorted.Sort();
        var merged = ImmutableArray.CreateBuilder<(int First, int Last)>();
        foreach (var range in sorted)
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1) merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else merged.Add(range);
        }
        return new(merged.ToImmutable());

        void Add(int first, int last)
        {
            if (first <= last) sorted.Add((first, last));
        }
    }

    /// <summary>One code point.</summary>
    public static CodePointSet Of(int codePoint) => Of((codePoint, codePoint));

    /// <summary>What is in either.</summary>
    public CodePointSet Union(CodePointSet other) => Of([.. Ranges, .. other.Ranges]);

    /// <summary>What is in both.</summary>
    public CodePointSet Intersect(CodePointSet other) => Complement().Union(other.Complement()).Complement();

    /// <summary>What is in this and not in the other.</summary>
    public CodePointSet Except(CodePointSet other) => Intersect(other.Complement());

    /// <summary>What is not in it.</summary>
    public CodePointSet Complement()
    {
        var gaps = new List<(int First, int Last)>();
        var next = 0;
        foreach (var (first, last) in Ranges)
        {
            if (first > next) gaps.Add((next, first - 1));
            next = last + 1;
        }
        if (next <= 0x10FFFF) gaps.Add((next, 0x10FFFF));
        return Of([.. gaps]);
    }

    /// <summary>Whether a code point is in it.</summary>
    public bool Contains(int codePoint)
    {
        var (low, high) = (0, Ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (codePoint < Ranges[middle].First) high = middle - 1;
            else if (codePoint > Ranges[middle].Last) low = middle + 1;
            else return true;
        }
        return false;
    }

    public bool Equals(CodePointSet? other) => other is not null && Ranges.AsSpan().SequenceEqual(other.Ranges.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as CodePointSet);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var (first, last) in Ranges) hash.Add((first << 3) ^ last);
        return hash.ToHashCode();
    }
}
