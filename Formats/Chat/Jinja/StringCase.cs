using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Upper and lower case as Python has it: by code point, with the letters that become several.</summary>
internal static class StringCase
{
    // A letter and what it becomes in upper case, from Unicode's SpecialCasing.txt.
    private const string Expanding =
        "\u00dfSS \u0149\u02bcN \u01f0J\u030c \u0390\u0399\u0308\u0301 \u03b0\u03a5\u0308\u0301 \u0587\u0535\u0552 \u1e96H\u0331 \u1e97T\u0308 " +
        "\u1e98W\u030a \u1e99Y\u030a " +
        "\u1e9aA\u02be \u1f50\u03a5\u0313 \u1f52\u03a5\u0313\u0300 \u1f54\u03a5\u0313\u0301 \u1f56\u03a5\u0313\u0342 \u1f80\u1f08\u0399 " +
        "\u1f81\u1f09\u0399 \u1f82\u1f0a\u0399 " +
        "\u1f83\u1f0b\u0399 \u1f84\u1f0c\u0399 \u1f85\u1f0d\u0399 \u1f86\u1f0e\u0399 \u1f87\u1f0f\u0399 \u1f88\u1f08\u0399 \u1f89\u1f09\u0399 " +
        "\u1f8a\u1f0a\u0399 " +
        "\u1f8b\u1f0b\u0399 \u1f8c\u1f0c\u0399 \u1f8d\u1f0d\u0399 \u1f8e\u1f0e\u0399 \u1f8f\u1f0f\u0399 \u1f90\u1f28\u0399 \u1f91\u1f29\u0399 " +
        "\u1f92\u1f2a\u0399 " +
        "\u1f93\u1f2b\u0399 \u1f94\u1f2c\u0399 \u1f95\u1f2d\u0399 \u1f96\u1f2e\u0399 \u1f97\u1f2f\u0399 \u1f98\u1f28\u0399 \u1f99\u1f29\u0399 " +
        "\u1f9a\u1f2a\u0399 " +
        "\u1f9b\u1f2b\u0399 \u1f9c\u1f2c\u0399 \u1f9d\u1f2d\u0399 \u1f9e\u1f2e\u0399 \u1f9f\u1f2f\u0399 \u1fa0\u1f68\u0399 \u1fa1\u1f69\u0399 " +
        "\u1fa2\u1f6a\u0399 " +
        "\u1fa3\u1f6b\u0399 \u1fa4\u1f6c\u0399 \u1fa5\u1f6d\u0399 \u1fa6\u1f6e\u0399 \u1fa7\u1f6f\u0399 \u1fa8\u1f68\u0399 \u1fa9\u1f69\u0399 " +
        "\u1faa\u1f6a\u0399 " +
        "\u1fab\u1f6b\u0399 \u1fac\u1f6c\u0399 \u1fad\u1f6d\u0399 \u1fae\u1f6e\u0399 \u1faf\u1f6f\u0399 \u1fb2\u1fba\u0399 \u1fb3\u0391\u0399 " +
        "\u1fb4\u0386\u0399 " +
        "\u1fb6\u0391\u0342 \u1fb7\u0391\u0342\u0399 \u1fbc\u0391\u0399 \u1fc2\u1fca\u0399 \u1fc3\u0397\u0399 \u1fc4\u0389\u0399 " +
        "\u1fc6\u0397\u0342 \u1fc7\u0397\u0342\u0399 " +
        "\u1fcc\u0397\u0399 \u1fd2\u0399\u0308\u0300 \u1fd3\u0399\u0308\u0301 \u1fd6\u0399\u0342 \u1fd7\u0399\u0308\u0342 " +
        "\u1fe2\u03a5\u0308\u0300 \u1fe3\u03a5\u0308\u0301 " +
        "\u1fe4\u03a1\u0313 \u1fe6\u03a5\u0342 \u1fe7\u03a5\u0308\u0342 \u1ff2\u1ffa\u0399 \u1ff3\u03a9\u0399 \u1ff4\u038f\u0399 " +
        "\u1ff6\u03a9\u0342 \u1ff7\u03a9\u0342\u0399 " +
        "\u1ffc\u03a9\u0399 \ufb00FF \ufb01FI \ufb02FL \ufb03FFI \ufb04FFL \ufb05ST \ufb06ST \ufb13\u0544\u0546 \ufb14\u0544\u0535 " +
        "\ufb15\u0544\u053b \ufb16\u054e\u0546 " +
        "\ufb17\u0544\u053d";

    private static readonly Dictionary<char, string> Uppers = Expanding.Split(' ').ToDictionary(pair => pair[0], pair => pair[1..]);

    public static string Upper(string s)
    {
        if (!s.AsSpan().ContainsAnyExceptInRange('\0', '\x7f')) return s.ToUpperInvariant();
        var upper = s.ToUpperInvariant();
        var made = new StringBuilder(upper.Length);
        for (var i = 0; i < s.Length; i++)
        {
            if (s[i] > '\x7f' && Uppers.TryGetValue(s[i], out var several)) made.Append(several);
            else made.Append(upper[i]);
        }
        return made.ToString();
    }

    public static string Lower(string s)
    {
        var lower = s.ToLowerInvariant();
        if (!s.AsSpan().ContainsAny('\u0130', '\u03a3')) return lower;
        var made = new StringBuilder(lower.Length);
        for (var i = 0; i < s.Length; i++)
        {
            // A sigma that ends a word has a form of its own.
            if (s[i] == '\u03a3')
                made.Append(i > 0 && char.IsLetter(s[i - 1]) && !(i + 1 < s.Length && char.IsLetter(s[i + 1])) ? '\u03c2' : '\u03c3');
            else if (s[i] == '\u0130') made.Append("i\u0307");
            else made.Append(lower[i]);
        }
        return made.ToString();
    }

    /// <summary>Lower case for comparing: letters that become several in upper case do so here.</summary>
    public static string Fold(string s) =>
        Lower(string.Concat(s.Select(c => Uppers.TryGetValue(c, out var several) ? several : c == '\u03c2' ? "\u03c3" : c.ToString())));

    public static string Capitalize(string s)
    {
        if (s.Length == 0) return s;
        var first = s.Length > 1 && char.IsSurrogatePair(s[0], s[1]) ? 2 : 1;
        var head = Upper(s[..first]);
        return (head.Length > first ? head[..1] + Lower(head[1..]) : head) + Lower(s[first..]);
    }

    public static string Swap(string s) =>
        string.Concat(PythonText.Characters(s).Select(c => Rune.TryGetRuneAt(c, 0, out var rune) && Rune.IsUpper(rune) ? Lower(c) : Upper(c)));

    /// <summary>str.title: every run of letters starts large.</summary>
    public static string Title(string s)
    {
        var made = new StringBuilder(s.Length);
        var inWord = false;
        foreach (var c in PythonText.Characters(s))
        {
            made.Append(inWord ? Lower(c) : Capitalize(c));
            inWord = IsCased(c);
        }
        return made.ToString();
    }

    /// <summary>Whether some letter has a case and all of those are in this one.</summary>
    public static bool Is(string s, bool upper) => PythonText.Characters(s).Any(IsCased) && s == (upper ? Upper(s) : Lower(s));

    private static bool IsCased(string c) => Lower(c) != c || Upper(c) != c;
}
