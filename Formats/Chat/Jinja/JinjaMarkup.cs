using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>What `safe` makes of a text: added to another text, it has the other one escaped for HTML, as markupsafe does.</summary>
internal sealed class JinjaMarkup(string text)
{
    public string Text { get; } = text;

    /// <summary>a + b where either may be safe.</summary>
    public static object? Add(object? a, object? b, Run run)
    {
        if (a is not JinjaMarkup && b is not JinjaMarkup) return Operators.Apply("+", a, b, run);
        if (a is not (JinjaMarkup or string)) return Operators.Apply("+", a, ((JinjaMarkup)b!).Text, run);
        if (b is not (JinjaMarkup or string)) return Operators.Apply("+", ((JinjaMarkup)a).Text, b, run);
        return new JinjaMarkup((string)Operators.Apply("+", Escaped(a), Escaped(b), run)!);
    }

    /// <summary>The text with what HTML gives a meaning escaped.</summary>
    public static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal);

    /// <summary>The texts of all with a separator between; safe where one of them is, and then the others are escaped.</summary>
    public static object Join(IReadOnlyList<object?> values, object? separator, Run run)
    {
        var isSafe = run.Style.Escapes && (separator is JinjaMarkup || values.Any(value => value is JinjaMarkup));
        var text = new StringBuilder();
        for (var i = 0; i < values.Count && text.Length <= Run.MaxText; i++)
        {
            if (i > 0) text.Append(isSafe ? run.Printed(separator) : Python.Str(separator));
            text.Append(isSafe ? run.Printed(values[i]) : Python.Str(values[i]));
        }
        run.SpendText(text.Length);
        return isSafe ? new JinjaMarkup(text.ToString()) : text.ToString();
    }

    private static string Escaped(object? value) => value is JinjaMarkup safe ? safe.Text : Escape((string)value!);
}
