namespace Quilt.Formats.Chat.Jinja;

/// <summary>split, rsplit, splitlines, partition.</summary>
internal static class StringSplit
{
    public static JinjaList Split(string s, Arguments a, bool fromRight, Run run)
    {
        run.Spend(s.Length);
        var separator = a.Get(0, "sep", null);
        var most = a.Whole(1, "maxsplit", -1);
        if (separator is not (null or string))
            throw separator is Undefined u ? u.Fail() : new JinjaError($"must be str or None, not {Python.TypeName(separator)}");
        if (separator is "") throw new JinjaError("empty separator");
        var limit = most < 0 ? int.MaxValue : (int)Math.Min(most, int.MaxValue - 1);
        var parts = separator is string by ? By(s, by, limit, fromRight) : fromRight ? WordsFromRight(s, limit) : Words(s, limit);
        run.Spend(32L * parts.Count);
        return new JinjaList(parts);
    }

    /// <summary>The words of a text, as split() without a separator finds them; what is beyond the limit stays one piece.</summary>
    public static List<string> Words(string s, int limit = int.MaxValue)
    {
        var parts = new List<string>();
        for (var i = 0; i < s.Length;)
        {
            while (i < s.Length && PythonText.IsSpace(s[i])) i++;
            if (i == s.Length) break;
            var start = i;
            if (limit-- <= 0) i = s.Length;
            while (i < s.Length && !PythonText.IsSpace(s[i])) i++;
            parts.Add(s[start..i]);
        }
        return parts;
    }

    public static List<string> Lines(string s, bool keepEnds)
    {
        var lines = new List<string>();
        for (var i = 0; i < s.Length;)
        {
            var end = i;
            while (end < s.Length && !(s[end] is '\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029')) end++;
            var next = end < s.Length ? end + (s[end] == '\r' && end + 1 < s.Length && s[end + 1] == '\n' ? 2 : 1) : end;
            lines.Add(s[i..(keepEnds ? next : end)]);
            i = next;
        }
        return lines;
    }

    public static JinjaTuple Partition(string s, string by, bool last)
    {
        if (by.Length == 0) throw new JinjaError("empty separator");
        var at = last ? s.LastIndexOf(by, StringComparison.Ordinal) : s.IndexOf(by, StringComparison.Ordinal);
        if (at < 0) return last ? new(["", "", s]) : new([s, "", ""]);
        return new([s[..at], by, s[(at + by.Length)..]]);
    }

    private static IReadOnlyList<string> By(string s, string by, int limit, bool fromRight)
    {
        if (!fromRight) return limit == int.MaxValue ? s.Split(by) : s.Split(by, limit + 1);
        var parts = new List<string>();
        var end = s.Length;
        for (; limit > 0 && end >= by.Length && s.LastIndexOf(by, end - 1, end, StringComparison.Ordinal) is >= 0 and var at; limit--)
        {
            parts.Add(s[(at + by.Length)..end]);
            end = at;
        }
        parts.Add(s[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<string> WordsFromRight(string s, int limit)
    {
        var parts = new List<string>();
        for (var i = s.Length; i > 0;)
        {
            while (i > 0 && PythonText.IsSpace(s[i - 1])) i--;
            if (i == 0) break;
            var end = i;
            if (limit-- <= 0) i = 0;
            while (i > 0 && !PythonText.IsSpace(s[i - 1])) i--;
            parts.Add(s[i..end]);
        }
        parts.Reverse();
        return parts;
    }
}
