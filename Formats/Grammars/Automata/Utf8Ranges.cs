namespace Quilt.Formats.Grammars.Automata;

/// <summary>One code point of a set as bytes: ranges of first bytes that lead to ranges of further ones.</summary>
internal static class Utf8Ranges
{
    private static readonly int[] Ends = [0x7F, 0x7FF, 0xFFFF, 0x10FFFF];

    /// <summary>The expression for a set of code points.</summary>
    public static Expression Build(ExpressionTable table, CodePointSet set)
    {
        var encoded = new List<(byte[] Low, byte[] High)>();
        foreach (var (first, last) in set.Ranges) Split(first, last, encoded);
        return Build(table, encoded, 0, encoded.Count, 0);
    }

    // Those from one number to another are alike in the bytes before a depth.
    private static Expression Build(ExpressionTable table, List<(byte[] Low, byte[] High)> encoded, int from, int to, int depth)
    {
        if (from < to && encoded[from].Low.Length == depth) return table.Empty;
        var ranges = new List<(byte, byte, Expression)>();
        while (from < to)
        {
            var (low, high) = (encoded[from].Low[depth], encoded[from].High[depth]);
            var next = from;
            while (next < to && encoded[next].Low[depth] == low) next++;
            ranges.Add((low, high, Build(table, encoded, from, next, depth + 1)));
            from = next;
        }
        return table.Bytes(ranges);
    }

    // Cuts a range until each byte of its first and last code point bounds that byte of all between.
    private static void Split(int first, int last, List<(byte[] Low, byte[] High)> found)
    {
        var rest = new Stack<(int First, int Last)>([(first, last)]);
        while (rest.TryPop(out var range))
        {
            var length = Length(range.First);
            if (Length(range.Last) != length)
            {
                Cut(Ends[length - 1]);
                continue;
            }
            var cut = false;
            for (var i = 1; i < length && !cut; i++)
            {
                var mask = (1 << 6 * i) - 1;
                if ((range.First & ~mask) == (range.Last & ~mask)) continue;
                if ((range.First & mask) != 0) (cut, _) = (true, Cut(range.First | mask));
                else if ((range.Last & mask) != mask) (cut, _) = (true, Cut((range.Last & ~mask) - 1));
            }
            if (!cut) found.Add((Encode(range.First, length), Encode(range.Last, length)));

            bool Cut(int at)
            {
                rest.Push((at + 1, range.Last));
                rest.Push((range.First, at));
                return true;
            }
        }
    }

    private static int Length(int codePoint) => codePoint <= Ends[0] ? 1 : codePoint <= Ends[1] ? 2 : codePoint <= Ends[2] ? 3 : 4;

    private static byte[] Encode(int c, int length) => length switch
    {
        1 => [(byte)c],
        2 => [(byte)(0xC0 | c >> 6), (byte)(0x80 | c & 63)],
        3 => [(byte)(0xE0 | c >> 12), (byte)(0x80 | c >> 6 & 63), (byte)(0x80 | c & 63)],
        _ => [(byte)(0xF0 | c >> 18), (byte)(0x80 | c >> 12 & 63), (byte)(0x80 | c >> 6 & 63), (byte)(0x80 | c & 63)],
    };
}
