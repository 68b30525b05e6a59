using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>find, count, startswith and replace; places are counted in code points.</summary>
internal static class StringSearch
{
    /// <summary>Where the part is, between the two places the call may name; −1 where it is not.</summary>
    public static long Find(string s, Arguments a, bool last)
    {
        var part = StringMethods.Text(a, 0);
        if (!Window(s, a, out var window, out var from)) return -1;
        var at = last ? window.LastIndexOf(part, StringComparison.Ordinal) : window.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : from + PythonText.Length(window[..at]);
    }

    public static long Index(string s, Arguments a, bool last) =>
        Find(s, a, last) is >= 0 and var at ? at : throw new JinjaError("substring not found");

    public static long Count(string s, Arguments a)
    {
        var part = StringMethods.Text(a, 0);
        if (!Window(s, a, out var window, out _)) return 0;
        if (part.Length == 0) return PythonText.Length(window) + 1L;
        var count = 0L;
        for (var at = 0; (at = window.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length) count++;
        return count;
    }

    public static bool Starts(string s, Arguments a) => Any(s, a, "startswith", (window, part) => window.StartsWith(part, StringComparison.Ordinal));

    public static bool Ends(string s, Arguments a) => Any(s, a, "endswith", (window, part) => window.EndsWith(part, StringComparison.Ordinal));

    public static string Replace(string text, string from, string to, long count, Run run)
    {
        if (count == 0) return text;
        if (from.Length == 0) return Interleave(text, to, count, run);
        long found = 0;
        for (var at = 0; found != count && (at = text.IndexOf(from, at, StringComparison.Ordinal)) >= 0; at += from.Length) found++;
        run.SpendText(text.Length + (found * ((long)to.Length - from.Length)));
        if (found == 0) return text;
        if (count < 0) return text.Replace(from, to, StringComparison.Ordinal);
        var result = new StringBuilder();
        var start = 0;
        for (; found > 0; found--)
        {
            var at = text.IndexOf(from, start, StringComparison.Ordinal);
            result.Append(text, start, at - start).Append(to);
            start = at + from.Length;
        }
        return result.Append(text, start, text.Length - start).ToString();
    }

    // Nothing is found in front of every character, and behind the last.
    private static string Interleave(string text, string to, long count, Run run)
    {
        var made = new StringBuilder();
        var left = count < 0 ? long.MaxValue : count;
        foreach (var piece in PythonText.Characters(text))
        {
            if (left-- > 0) made.Append(to);
            made.Append(piece);
            run.SpendText(made.Length > Run.MaxText ? made.Length : to.Length);
        }
        return left > 0 ? made.Append(to).ToString() : made.ToString();
    }

    private static bool Any(string s, Arguments a, string name, Func<string, string, bool> holds)
    {
        var parts = a.Need(0, "prefix");
        if (parts is Undefined u) throw u.Fail();
        if (parts is not (string or JinjaTuple))
            throw new JinjaError($"{name} first arg must be str or a tuple of str, not {Python.TypeName(parts)}");
        if (!Window(s, a, out var window, out _)) return false;
        return parts is string one ? holds(window, one)
            : ((JinjaTuple)parts).Items.Any(part => part is string text
                ? holds(window, text)
                : throw new JinjaError($"tuple for {name} must only contain str, not {Python.TypeName(part)}"));
    }

    // s[start:end] of the second and third argument; false where start is behind the end of s or of the window.
    private static bool Window(string s, Arguments a, out string window, out long from)
    {
        (window, from) = (s, 0);
        if (a.Positional.Count < 2) return true;
        var length = PythonText.Length(s);
        long Place(int place, long otherwise)
        {
            if (place >= a.Positional.Count || a.Positional[place] is null) return otherwise;
            var at = Python.Index(a.Positional[place]);
            return at < 0 ? Math.Max(0, at + length) : at;
        }
        from = Place(1, 0);
        var to = Math.Min(Place(2, length), length);
        if (from > to) return false;
        window = from == 0 && to == length ? s : PythonText.Part(s, from, to);
        return true;
    }
}
