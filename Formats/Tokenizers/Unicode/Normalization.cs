using System.Buffers;

namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>The four normal forms by Unicode 9.0, linear in the length of the text whatever it holds.</summary>
internal static class Normalization
{
    /// <summary>Whether a text is surely its own NFC. True for everything below U+0300 and for most other text.</summary>
    public static bool IsComposed(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (true)
        {
            // The first code point that could matter, U+0300, starts with CC.
            var skip = text[at..].IndexOfAnyInRange((byte)0xCC, (byte)0xFF);
            if (skip < 0) return true;
            at += skip;
            if (CanonicalData.Table.MayChange.Contains(CodePoints.Read(text, at, out var length))) return false;
            at += length;
        }
    }

    /// <summary>NFC of a text, or NFKC.</summary>
    public static byte[] Compose(ReadOnlySpan<byte> text, bool compatibility = false)
    {
        var codes = DecomposeAndOrder(text, compatibility);
        var kept = Recompose(codes);
        return Encode(codes, kept);
    }

    /// <summary>NFD of a text, or NFKD.</summary>
    public static byte[] Decompose(ReadOnlySpan<byte> text, bool compatibility = false)
    {
        var codes = DecomposeAndOrder(text, compatibility);
        return Encode(codes, codes.Count);
    }

    private static List<int> DecomposeAndOrder(ReadOnlySpan<byte> text, bool compatibility)
    {
        var table = CanonicalData.Table;
        var codes = new List<int>(text.Length / 2 + 4);
        for (var at = 0; at < text.Length;)
        {
            var code = CodePoints.Read(text, at, out var length);
            at += length;
            if (code < 0xA0) codes.Add(code);
            else Expand(table, code, compatibility, codes);
        }
        Order(table, codes);
        return codes;
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
        if ((table.Decomposition(code) ?? (compatibility ? CompatibilityData.Decomposition(code) : null)) is not { } parts) { into.Add(code); return; }
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
            for (int last = table.CombiningClass(codes[at]), next; end < codes.Count && (next = table.CombiningClass(codes[end])) != 0; end++, last = next)
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

    private static byte[] Encode(List<int> codes, int count)
    {
        var bytes = new ArrayBufferWriter<byte>(count * 2 + 4);
        for (var i = 0; i < count; i++) bytes.Advance(CodePoints.Write(codes[i], bytes.GetSpan(4)));
        return bytes.WrittenSpan.ToArray();
    }
}
