using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>center, ljust, rjust, zfill, expandtabs.</summary>
internal static class StringPad
{
    public static string Center(string s, long width, string fill, Run run)
    {
        var missing = Missing(s, width, fill, run);
        var left = (missing / 2) + (missing & (int)width & 1);
        return Repeat(fill, left) + s + Repeat(fill, missing - left);
    }

    public static string Left(string s, long width, string fill, Run run) => s + Repeat(fill, Missing(s, width, fill, run));

    public static string Right(string s, long width, string fill, Run run) => Repeat(fill, Missing(s, width, fill, run)) + s;

    public static string Zeros(string s, long width, Run run)
    {
        var sign = s.Length > 0 && s[0] is '-' or '+' ? 1 : 0;
        return s[..sign] + Repeat("0", Missing(s, width, "0", run)) + s[sign..];
    }

    public static string ExpandTabs(string s, long size, Run run)
    {
        var made = new StringBuilder(s.Length);
        var column = 0;
        foreach (var c in PythonText.Characters(s))
        {
            if (c == "\t")
            {
                var spaces = size <= 0 ? 0 : size - (column % size);
                run.SpendText(spaces > Run.MaxText ? spaces : made.Length + spaces);
                made.Append(' ', (int)spaces);
                column += (int)spaces;
            }
            else
            {
                made.Append(c);
                column = c is "\n" or "\r" ? 0 : column + 1;
            }
        }
        return run.Made(made.ToString());
    }

    private static int Missing(string s, long width, string fill, Run run)
    {
        if (PythonText.Length(fill) != 1) throw new JinjaError("The fill character must be exactly one character long");
        run.SpendText(Math.Max(0, width));
        return Math.Max(0, (int)Math.Max(0, width) - PythonText.Length(s));
    }

    private static string Repeat(string fill, int count) =>
        count <= 0 ? "" : fill.Length == 1 ? new string(fill[0], count) : string.Concat(Enumerable.Repeat(fill, count));
}
