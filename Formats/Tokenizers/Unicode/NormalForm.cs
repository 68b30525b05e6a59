using System.Buffers;

namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>A normal form by Unicode 9.0, linear in the length of the text whatever it holds: NFC, NFD, NFKC or NFKD. Immutable.</summary>
internal sealed class NormalForm(bool composed, bool compatibility)
{
    private readonly Lazy<CodePointSet> mayChange = new(() => CodePointSet.Of(
        [
            .. (composed ? CanonicalData.Table.MayChange : CanonicalData.Table.MayDecompose).Ranges,
            .. compatibility ? CompatibilityData.Decomposable.Ranges : [],
        ]));

    // Nothing below U+0300 is changed by NFC, and nothing below U+00A0 by the others: these are the first bytes of those.
    private readonly byte firstLead = (byte)(composed && !compatibility ? 0xCC : 0xC2);

    /// <summary>NFC.</summary>
    public static NormalForm Composed { get; } = new(composed: true, compatibility: false);

    /// <summary>NFD.</summary>
    public static NormalForm Decomposed { get; } = new(composed: false, compatibility: false);

    /// <summary>NFKC.</summary>
    public static NormalForm CompatibilityComposed { get; } = new(composed: true, compatibility: true);

    /// <summary>NFKD.</summary>
    public static NormalForm CompatibilityDecomposed { get; } = new(composed: false, compatibility: true);

    /// <summary>Writes the normal form of a text, or returns false where that is the text itself.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="codes">Memory to work with.</param>
    /// <param name="into">Receives the normal form.</param>
    public bool Apply(ReadOnlySpan<byte> text, List<int> codes, Utf8Buffer into)
    {
        var set = mayChange.Value;
        var done = 0;
        for (int at = 0, skip; (skip = text[at..].IndexOfAnyInRange(firstLead, (byte)0xFF)) >= 0;)
        {
            at += skip;
            if (!set.Contains(CodePoints.Read(text, at, out var length)))
            {
                at += length;
                continue;
            }
            // A run of what may change, with the character before it, which may be the first half of a composition.
            var start = at > done ? CodePoints.Before(text, at) : at;
            while (at < text.Length && set.Contains(CodePoints.Read(text, at, out length))) at += length;
            into.Add(text[done..start]);
            Rewrite(text[start..at], codes, into);
            done = at;
        }
        if (done == 0) return false;
        into.Add(text[done..]);
        return true;
    }

    private void Rewrite(ReadOnlySpan<byte> text, List<int> codes, Utf8Buffer into)
    {
        var table = CanonicalData.Table;
        codes.Clear();
        for (var at = 0; at < text.Length;)
        {
            var code = CodePoints.Read(text, at, out var length);
            at += length;
            if (code < 0xA0) codes.Add(code);
            else Expand(table, code, compatibility, codes);
        }
        Order(table, codes);
        var kept = composed ? Recompose(codes) : codes.Count;
        for (var i = 0; i < kept; i++) into.AddCodePoint(codes[i]);
    }

    private static void Expand(CanonicalData table, int code, bool compatibility, List<int> into)
    {
        if (code is >= CanonicalData.HangulFirst and <= CanonicalData.HangulLast)
        {
            var index = code - CanonicalData.HangulFirst;
            into.Add(CanonicalData.LeadFirst + index / (CanonicalData.VowelCount * CanonicalData.TrailCount));
            into.Add(CanonicalData.VowelFirst + index % (CanonicalData.VowelCount * CanonicalData.TrailCount) / CanonicalData.TrailCount);
            if (index % CanonicalData.TrailCount != 0) into.Add(CanonicalData.TrailFirst + index % CanonicalData.TrailCount);
            return;
        }
        if ((table.Decomposition(code) ?? (compatibility ? CompatibilityData.Decomposition(code) : null)) is not { } parts)
            { into.Add(code); return; }
        foreach (var part in parts) Expand(table, part, compatibility, into);
    }

    // Sorts every run of non-starters by combining class, stably. A counting sort: a run may be as long as the text.
    private static void Order(CanonicalData table, List<int> codes)
    {
        Span<int> places = stackalloc int[256];
        for (var at = 0; at < codes.Count;)
        {
            if (codes[at] < 0x300 || table.CombiningClass(codes[at]) == 0) { at++; continue; }
            var end = at + 1;
            var sorted = true;
            for (int last = table.CombiningClass(codes[at]), next; end < codes.Count
                && (next = table.CombiningClass(codes[end])) != 0; end++, last = next)
                sorted &= last <= next;
            if (!sorted)
            {
                places.Clear();
                for (var i = at; i < end; i++) places[table.CombiningClass(codes[i])]++;
                for (int i = 0, sum = at; i < 256; i++) (places[i], sum) = (sum, sum + places[i]);
                var run = ArrayPool<int>.Shared.Rent(end - at);
                codes.CopyTo(at, run, 0, end - at);
                for (var i = 0; i < end - at; i++) codes[places[table.CombiningClass(run[i])]++] = run[i];
                ArrayPool<int>.Shared.Return(run);
            }
            at = end;
        }
    }

    // Unicode Standard, 3.11 D117: a character composes with the last starter unless something of an equal or higher class stands between.
    private static int Recompose(List<int> codes)
    {
        var table = CanonicalData.Table;
        int starter = -1, lastClass = -1, kept = 0;
        for (var at = 0; at < codes.Count; at++)
        {
            var code = codes[at];
            var combining = code < 0x300 ? 0 : table.CombiningClass(code);
            if (starter >= 0 && lastClass < combining && code >= 0x300 && table.Compose(codes[starter], code) is >= 0 and var composed)
            {
                codes[starter] = composed;
                continue;
            }
            if (combining == 0) { starter = kept; lastClass = -1; }
            else lastClass = combining;
            codes[kept++] = code;
        }
        return kept;
    }
}
